#include "atelier/training/losses.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace atelier::training {
namespace {

at::Tensor noise(at::IntArrayRef shape, std::uint64_t seed) {
  return at::rand(shape, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
}

double value(const at::Tensor& scalar) {
  return scalar.item<double>();
}

TEST(StyleLoss, SeesNoPlaceButTextureAndColour) {  // 1e-6 for float32 sums
  const at::Tensor x = noise({2, 4, 16, 16}, 1);
  const auto wanted = style_of({x});
  EXPECT_NEAR(value(style_loss(style_of({x}), wanted)), 0, 1e-6);
  EXPECT_NEAR(value(style_loss(style_of({x.roll({5}, {2}).flip(3)}), wanted)), 0, 1e-6);
  EXPECT_GT(value(style_loss(style_of({x + 0.2}), wanted)), 0.01);
  EXPECT_GT(value(style_loss(style_of({(x - 0.5) * 0.5 + 0.5}), wanted)), 0.1);
}

TEST(StyleLoss, IsWhatItsDefinitionSays) {  // 1e-5: by hand for one channel of values 0 and 2, wanted 0 and 1
  const at::Tensor x = at::zeros({1, 1, 2, 2}, at::kFloat);
  x.select(3, 1).fill_(2);            // gram 1, mean 1, deviation 1
  const at::Tensor wanted = x * 0.5;  // gram 1/4, mean 1/2, deviation 1/2: relative squared errors 9, 1, 1
  const double limited = 9 / (1 + 9.0 / 20) + 2 / (1 + 1.0 / 20);
  EXPECT_NEAR(value(style_loss(style_of({x}), style_of({wanted}))), limited, 2e-3);
}

TEST(ContentLoss, IgnoresContrastAndLevel) {  // 1e-4: the epsilon of the normalisation
  const at::Tensor x = noise({1, 3, 8, 8}, 1);
  EXPECT_NEAR(value(content_loss(x * 3 + 1, x)), 0, 1e-4);
  EXPECT_NEAR(value(content_loss(-x, x)), 4, 1e-2);
}

TEST(TotalVariation, IsTheMeanStep) {  // 1e-6
  const at::Tensor x = at::zeros({1, 3, 2, 4}, at::kFloat);
  x.select(3, 3).fill_(0.6);  // one of three steps across is 0.6
  EXPECT_NEAR(value(total_variation(x)), 0.2, 1e-6);
}

TEST(RangeLoss, IsTheMeanDistance) {  // 1e-6
  EXPECT_NEAR(value(range_loss(at::full({1, 3, 2, 2}, 1.25))), 0.25, 1e-6);
  EXPECT_NEAR(value(range_loss(at::full({1, 3, 2, 2}, -0.5))), 0.5, 1e-6);
  EXPECT_EQ(value(range_loss(noise({1, 3, 2, 2}, 1))), 0);
}

}  // namespace
}  // namespace atelier::training
