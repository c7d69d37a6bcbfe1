#include "atelier/models/adaptive_network.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/models/safetensors.h"

namespace atelier::models {
namespace {

at::Tensor noise(at::IntArrayRef shape, std::uint64_t seed) {
  return at::rand(shape, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
}

class AdaptiveNetworkTest : public testing::TestWithParam<AdaptiveNetwork::Kind> {
 protected:
  void SetUp() override { at::set_num_threads(1); }
  void TearDown() override { at::set_num_threads(1); }

  AdaptiveNetwork network_{AdaptiveNetwork::initial_parameters(3, GetParam())};
  TensorMap style_ = network_.style_statistics(noise({1, 3, 96, 128}, 5));
};

TEST_P(AdaptiveNetworkTest, HasFewerThanAMillionParameters) {
  std::int64_t count = 0;
  for (const auto& [name, tensor] : network_.parameters()) count += tensor.numel();
  EXPECT_LT(count, 1'000'000);
}

TEST_P(AdaptiveNetworkTest, SeedsDecideTheParameters) {  // exact
  const auto same = AdaptiveNetwork::initial_parameters(3, GetParam());
  const auto other = AdaptiveNetwork::initial_parameters(4, GetParam());
  for (const auto& [name, tensor] : network_.parameters())
    EXPECT_TRUE(at::equal(tensor, same.at(name))) << name;
  EXPECT_FALSE(at::equal(other.at("down.half.weight"), same.at("down.half.weight")));
}

TEST_P(AdaptiveNetworkTest, KeepsAnySize) {
  const at::NoGradGuard no_grad;
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 40}, {7, 9}, {64, 96}, {65, 33}}) {
    const at::Tensor output = network_.stylise(noise({1, 3, height, width}, 1), style_);
    EXPECT_EQ(output.sizes(), (at::IntArrayRef{1, 3, height, width}));
    EXPECT_TRUE(output.isfinite().all().item<bool>());
  }
}

TEST_P(AdaptiveNetworkTest, BitsDoNotDependOnTheBatch) {  // exact
  const at::NoGradGuard no_grad;
  const at::Tensor frames = noise({3, 3, 72, 104}, 7);
  for (int batch = 1; batch <= 3; ++batch) {
    const at::Tensor together = network_.stylise(frames.slice(0, 0, batch), style_);
    for (int i = 0; i < batch; ++i)
      EXPECT_TRUE(
          at::equal(together.slice(0, i, i + 1), network_.stylise(frames.slice(0, i, i + 1), style_)));
  }
}

TEST_P(AdaptiveNetworkTest, BitsDoNotDependOnTheThreads) {  // exact
  const at::NoGradGuard no_grad;
  const at::Tensor frame = noise({1, 3, 264, 392}, 7);
  const at::Tensor one = network_.stylise(frame, style_);
  at::set_num_threads(2);
  EXPECT_TRUE(at::equal(one, network_.stylise(frame, style_)));
}

TEST_P(AdaptiveNetworkTest,
       EachFrameOfABatchCanHaveItsOwnStyle) {  // 1e-4: batched convolutions round otherwise
  const at::Tensor frames = noise({2, 3, 64, 64}, 7);
  const at::Tensor styles =
      noise({2, 3, 64, 64}, 8) * at::cat({at::full({1, 3, 1, 1}, 1.0), at::full({1, 3, 1, 1}, 0.2)});
  const auto both = network_.style_statistics(styles);
  const at::Tensor with_gradients = network_.stylise(frames, both);
  const at::NoGradGuard no_grad;
  const at::Tensor without = network_.stylise(frames, both);
  EXPECT_LT((with_gradients - without).abs().max().item<float>(), 1e-4);
  const at::Tensor swapped = network_.stylise(frames, network_.style_statistics(styles.flip(0)));
  EXPECT_GT((swapped - without).abs().max().item<float>(), 1e-3);
}

TEST_P(AdaptiveNetworkTest, GradientsReachEveryParameter) {
  TensorMap parameters = AdaptiveNetwork::initial_parameters(3, GetParam());
  for (auto& [name, tensor] : parameters) tensor.requires_grad_(true);
  const AdaptiveNetwork network(parameters);
  const at::Tensor output =
      network.stylise(noise({2, 3, 32, 48}, 1), network.style_statistics(noise({2, 3, 64, 64}, 2)));
  (output * noise(output.sizes(), 3)).sum().backward();
  for (const auto& [name, tensor] : parameters) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    EXPECT_GT(tensor.grad().abs().max().item<float>(), 0) << name;
  }
}

TEST_P(AdaptiveNetworkTest, ThePixelShuffleLeavesNoWeave) {
  // 1e-6: float32
  const at::NoGradGuard no_grad;
  TensorMap parameters = network_.parameters();
  parameters["up.full.weight"] = parameters["up.full.weight"] * 0;
  parameters["up.full.bias"] = noise({12}, 4);  // each place of the shuffle has a level of its own
  const at::Tensor output = AdaptiveNetwork(parameters).stylise(noise({1, 3, 32, 48}, 1), style_);
  const at::Tensor inner = output.slice(2, 1, 31).slice(3, 1, 47);
  const at::Tensor any_place = inner.slice(2, 10, 11).slice(3, 10, 11);
  EXPECT_LT((inner - any_place).abs().max().item<float>(), 1e-6);
  EXPECT_GT((output - any_place).abs().max().item<float>(), 1e-3);  // at the border the weave is still there
}

TEST_P(AdaptiveNetworkTest, ThePaletteHasMeanAndCovarianceOfTheStyle) {  // 2e-4: its epsilon
  const at::NoGradGuard no_grad;
  at::Tensor style = noise({1, 3, 64, 96}, 5);
  style.select(1, 2).mul_(0.3).add_(style.select(1, 0), 0.5);
  const at::Tensor palette = network_.style_statistics(style).at("palette");
  const at::Tensor colors = style[0].flatten(1);
  const at::Tensor mean = colors.mean(1);
  const at::Tensor centred = colors - mean.unsqueeze(1);
  const at::Tensor covariance = centred.mm(centred.t()) / static_cast<double>(colors.size(1));
  const at::Tensor matrix = palette.slice(1, 3).view({3, 3});
  EXPECT_LT((palette.slice(1, 0, 3)[0] - mean).abs().max().item<float>(), 1e-5);
  EXPECT_LT((matrix.mm(matrix.t()) - covariance).abs().max().item<float>(), 2e-4);
}

TEST_P(AdaptiveNetworkTest, RefusesWeightsOfAnotherNetwork) {
  EXPECT_NO_THROW(AdaptiveNetwork::check(network_.parameters(), "w"));
  EXPECT_THROW(AdaptiveNetwork::check({}, "w"), UsageError);
  TensorMap parameters = network_.parameters();
  parameters["of.another"] = at::full({1}, 0.0);
  EXPECT_THROW(AdaptiveNetwork::check(parameters, "w"), UsageError);
  parameters = network_.parameters();
  parameters["up.full.bias"] = at::full({13}, 0.0);
  EXPECT_THROW(AdaptiveNetwork::check(parameters, "w"), UsageError);
  parameters = network_.parameters();
  parameters["up.full.bias"] = parameters["up.full.bias"].to(at::kInt);
  EXPECT_THROW(AdaptiveNetwork::check(parameters, "w"), UsageError);
}

INSTANTIATE_TEST_SUITE_P(Kinds, AdaptiveNetworkTest,
                         testing::Values(AdaptiveNetwork::Kind::to_eighth,
                                         AdaptiveNetwork::Kind::to_sixteenth));

TEST(ShippedWeights, PaintInThePaletteOfAnyStyle) {  // 0.12 of full scale in the mean, seen: below 0.06
  at::set_num_threads(1);
  const at::NoGradGuard no_grad;
  const std::string path = ATELIER_SOURCE_DIR "/weights/adaptive.safetensors";
  const TensorFile file = parse_safetensors(read_file(path).bytes(), path);
  EXPECT_EQ(file.metadata.at("network"), AdaptiveNetwork(file.tensors).network_name());
  ASSERT_NO_THROW(AdaptiveNetwork::check(file.tensors, path));
  const AdaptiveNetwork network(file.tensors);
  const at::Tensor photo = noise({1, 3, 12, 16}, 1).repeat_interleave(8, 2).repeat_interleave(8, 3);
  for (const auto& [red, green, blue] : {std::tuple{0.8, 0.3, 0.2}, {0.2, 0.6, 0.3}, {0.3, 0.3, 0.9}}) {
    at::Tensor style = noise({3, 100, 140}, 2) * 0.2 - 0.1;
    style = style + at::tensor({red, green, blue}, at::kFloat).view({3, 1, 1});
    const at::Tensor output = network.stylise(photo, network.style_statistics(prepare_style(style)));
    const at::Tensor off = output.mean({0, 2, 3}) - at::tensor({red, green, blue}, at::kFloat);
    EXPECT_LT(off.abs().max().item<float>(), 0.12);
    EXPECT_GT(output.std().item<float>(), 0.02);
  }
}

TEST(PrepareStyle, GivesTheShorterSideItsLength) {
  const auto sizes = [](std::int64_t height, std::int64_t width) {
    const at::Tensor style = prepare_style(noise({3, height, width}, 1));
    return std::pair(style.size(2), style.size(3));
  };
  EXPECT_EQ(sizes(512, 1024), std::pair(256L, 512L));
  EXPECT_EQ(sizes(100, 50), std::pair(512L, 256L));
  EXPECT_EQ(sizes(1, 1), std::pair(256L, 256L));
  EXPECT_EQ(sizes(1, 900), std::pair(256L, 1024L));
}

TEST(BlendStyles, IsTheWeightedMean) {  // 1e-6: float32
  const TensorMap a{{"x", at::full({1, 2}, 1.0)}};
  const TensorMap b{{"x", at::full({1, 2}, 5.0)}};
  const auto blend = blend_styles({{a, 3}, {b, 1}});
  EXPECT_NEAR(blend.at("x")[0][1].item<double>(), 2.0, 1e-6);
  EXPECT_THROW(blend_styles({}), UsageError);
  EXPECT_THROW(blend_styles({{a, 0}}), UsageError);
  EXPECT_THROW(blend_styles({{a, 2}, {b, -1}}), UsageError);
}

}  // namespace
}  // namespace atelier::models
