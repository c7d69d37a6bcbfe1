#include "atelier/training/loss_network.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "training/loss_weights.h"

namespace atelier::training {
namespace {

at::Tensor noise(at::IntArrayRef shape, std::uint64_t seed) {
  return at::rand(shape, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
}

void expect_near(const at::Tensor& x, const at::Tensor& wanted, double tolerance) {
  ASSERT_EQ(x.sizes(), wanted.sizes());
  EXPECT_LE((x - wanted).abs().max().item<double>(), tolerance);
}

std::string refusal(const models::TensorFile& file) {
  try {
    const LossNetwork network(file, "w");
  } catch (const UsageError& error) {
    return error.what();
  }
  return {};
}

TEST(LossNetwork, HasTheLayersOfSqueezeNet) {
  const LossNetwork network(random_squeezenet(), "w");
  at::Tensor rgb = noise({1, 3, 64, 48}, 1);
  rgb.requires_grad_(true);
  const auto features = network.features(rgb);
  ASSERT_EQ(features.size(), 5U);
  EXPECT_EQ(features[0].sizes(), (at::IntArrayRef{1, 64, 62, 46}));
  EXPECT_EQ(features[2].sizes(), (at::IntArrayRef{1, 128, 30, 22}));
  EXPECT_EQ(features[4].sizes(), (at::IntArrayRef{1, 256, 14, 10}));
  EXPECT_EQ(network.first_content_layer(), 3U);
  features[4].sum().backward();
  EXPECT_GT(rgb.grad().abs().max().item<float>(), 0);
}

TEST(LossNetwork, HasTheLayersOfVgg) {
  const LossNetwork network(random_vgg(), "w");
  EXPECT_EQ(network.layers(), (std::vector<std::string>{"relu1_1", "relu2_1", "relu3_1"}));
  EXPECT_EQ(network.first_content_layer(), 2U);
  at::Tensor rgb = noise({2, 3, 32, 48}, 1);
  rgb.requires_grad_(true);
  const auto features = network.features(rgb);
  ASSERT_EQ(features.size(), 3U);
  EXPECT_EQ(features[0].sizes(), (at::IntArrayRef{2, 64, 32, 48}));
  EXPECT_EQ(features[1].sizes(), (at::IntArrayRef{2, 128, 16, 24}));
  EXPECT_EQ(features[2].sizes(), (at::IntArrayRef{2, 256, 8, 12}));
  features[2].sum().backward();
  EXPECT_GT(rgb.grad().abs().max().item<float>(), 0);
}

TEST(LossNetwork, TakesTheLastLayerOfABlockWhereTheFileEndsThere) {
  LossWeights weights;
  weights.file = random_vgg();
  weights.add("features.12", 256, 256, 3);
  EXPECT_EQ(LossNetwork(weights.file, "w").layers(),
            (std::vector<std::string>{"relu1_1", "relu2_1", "relu3_1", "relu3_2"}));
}

/// The first layer of a VGG, by hand: what the network sees of a picture.
at::Tensor first_layer(const models::TensorFile& file, const at::Tensor& input) {
  return at::relu(
      at::conv2d(input, file.tensors.at("features.0.weight"), file.tensors.at("features.0.bias"), 1, 1));
}

TEST(LossNetwork, PreparesTheInputAsTheFileSays) {  // 1e-3 of values in the hundreds: float32
  const at::Tensor rgb = noise({1, 3, 16, 16}, 1);
  models::TensorFile file = random_vgg();
  const auto mean = at::tensor({0.485F, 0.456F, 0.406F}).view({1, 3, 1, 1});
  const auto deviation = at::tensor({0.229F, 0.224F, 0.225F}).view({1, 3, 1, 1});
  expect_near(LossNetwork(file, "w").features(rgb)[0], first_layer(file, (rgb - mean) / deviation), 1e-4);
  file.metadata["input"] = "BGR 0..255 minus [103.939,116.779,123.68], no division";
  const auto caffe_mean = at::tensor({103.939F, 116.779F, 123.68F}).view({1, 3, 1, 1});
  expect_near(LossNetwork(file, "w").features(rgb)[0], first_layer(file, rgb.flip(1) * 255 - caffe_mean),
              1e-3);
}

TEST(LossNetwork, PadsByReflectionBehindAConvolutionOfItsOwn) {  // 1e-5
  models::TensorFile file = random_vgg();
  file.tensors["conv0.weight"] = at::zeros({3, 3, 1, 1}, at::kFloat);
  for (int i = 0; i < 3; ++i) file.tensors["conv0.weight"][i][2 - i] = 255;  // BGR 0..255
  file.tensors["conv0.bias"] = at::full({3}, -128, at::kFloat);
  const at::Tensor flat = at::full({1, 3, 16, 16}, 0.25, at::kFloat);
  const at::Tensor x = LossNetwork(file, "w").features(flat)[0];
  // Zeros at the border would show there.
  expect_near(x, x.slice(2, 8, 9).slice(3, 8, 9).expand_as(x), 1e-3);
  EXPECT_GT(x.max().item<float>(), 0);
}

TEST(LossNetwork, NamesTheLayerThatIsMissing) {
  EXPECT_NE(refusal({}).find("w is no loss network that is known"), std::string::npos);
  for (const char* name : {"features.2.bias", "features.5.weight", "features.7.weight"}) {
    models::TensorFile file = random_vgg();
    file.tensors.erase(name);
    EXPECT_NE(refusal(file).find(std::string("tensor ") + name), std::string::npos) << name << refusal(file);
  }
  models::TensorFile file = random_squeezenet();
  file.tensors["fire3.expand3x3.weight"] = at::zeros({64, 16, 1, 1}, at::kFloat);
  EXPECT_NE(refusal(file).find("fire3.expand3x3.weight"), std::string::npos);
}

TEST(LossNetwork, MayBeSpreadOverFiles) {  // exact
  const TemporaryFolder folder;
  models::TensorFile first = random_vgg();
  models::TensorFile second;
  for (const char* name : {"features.10.weight", "features.10.bias"}) {
    second.tensors[name] = first.tensors.at(name);
    first.tensors.erase(name);
  }
  const auto one = folder.path() / "1.safetensors";
  const auto two = folder.path() / "2.safetensors";
  write_file_once(one, models::write_safetensors(first).bytes());
  write_file_once(two, models::write_safetensors(second).bytes());
  const at::Tensor rgb = noise({1, 3, 16, 16}, 1);
  EXPECT_TRUE(
      LossNetwork::load({one, two}).features(rgb)[2].equal(LossNetwork(random_vgg(), "w").features(rgb)[2]));
  EXPECT_THROW(LossNetwork::load({one, one}), UsageError);
}

}  // namespace
}  // namespace atelier::training
