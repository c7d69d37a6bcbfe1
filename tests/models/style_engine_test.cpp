#include "atelier/models/style_engine.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <thread>

#include "atelier/base/error.h"
#include "atelier/models/adaptive_network.h"
#include "atelier/models/safetensors.h"

namespace atelier::models {
namespace {

TEST(StyleEngine, IdentityGivesBackTheFrames) {
  const EngineSpec spec = make_engine_spec("identity", {}, "", {}, 1, tensor::Precision::fp32);
  const auto engine = make_engine(spec.clone(), {});
  const at::Tensor frames = at::randn({2, 3, 5, 7});
  EXPECT_TRUE(at::equal(engine->stylise(frames), frames));
}

TEST(StyleEngine, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(make_engine_spec("pencil", {}, "", {}, 1, tensor::Precision::fp32), UsageError);
  EXPECT_THROW(make_engine_spec("identity", {}, "", {}, 1.5, tensor::Precision::fp32), UsageError);
  EngineSpec spec;
  spec.kind = "pencil";
  EXPECT_THROW(make_engine(spec, {}), JobError);
  spec.kind = "identity";
  EXPECT_THROW(make_engine(spec, {tensor::DeviceKind::cuda, 99}), UsageError);
}

Buffer adaptive_weights() {
  TensorFile file;
  file.tensors = AdaptiveNetwork::initial_parameters(5);
  return write_safetensors(file);
}

EngineSpec adaptive_spec(const std::vector<StylePicture>& styles, double strength = 1) {
  return make_engine_spec("adaptive", adaptive_weights(), "w.safetensors", styles, strength,
                          tensor::Precision::fp32);
}

StylePicture picture(std::uint64_t seed, double weight = 1) {
  at::manual_seed(seed);
  return {at::rand({3, 90, 120}), weight};
}

// The engine runs the network in another memory order. Tolerance: 1e-4 of the range, rounding of fp32.
TEST(StyleEngine, AdaptiveIsItsNetwork) {
  const c10::InferenceMode inference;
  const at::Tensor frame = at::rand({1, 3, 50, 70});
  const AdaptiveNetwork network(AdaptiveNetwork::initial_parameters(5));
  const at::Tensor expected = network.stylise(frame, network.style_statistics(prepare_style(picture(1).rgb)));
  const at::Tensor styled = make_engine(adaptive_spec({picture(1)}), {})->stylise(frame);
  EXPECT_LT((styled - expected).abs().max().item<double>(), 1e-4);
  EXPECT_GT((styled - frame).abs().mean().item<double>(), 1e-2);
}

TEST(StyleEngine, AdaptiveBitsDependOnNeitherBatchNorThread) {
  const EngineSpec spec = adaptive_spec({picture(1)});
  const at::Tensor frames = at::rand({3, 3, 37, 61});
  std::vector<at::Tensor> alone(2);
  std::vector<std::thread> threads;
  for (auto& result : alone) {
    threads.emplace_back([&] {
      prepare_compute_thread();
      const c10::InferenceMode inference;
      const auto engine = make_engine(spec, {});
      std::vector<at::Tensor> styled;
      for (int n = 0; n < 3; ++n) styled.push_back(engine->stylise(frames.narrow(0, n, 1)));
      result = at::cat(styled, 0);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(at::equal(alone[0], alone[1]));
  prepare_compute_thread();
  EXPECT_TRUE(at::equal(make_engine(spec, {})->stylise(frames), alone[0]));
}

TEST(StyleEngine, AdaptiveMixesStrengthAndStyles) {
  const at::Tensor frame = at::rand({1, 3, 24, 32});
  EXPECT_TRUE(at::equal(make_engine(adaptive_spec({picture(1)}, 0), {})->stylise(frame), frame));
  const at::Tensor one = make_engine(adaptive_spec({picture(1)}), {})->stylise(frame);
  const at::Tensor weak = make_engine(adaptive_spec({picture(1)}, 0.5), {})->stylise(frame);
  // Tolerance: rounding of one sum.
  EXPECT_LT((weak - (one + frame) / 2).abs().max().item<double>(), 1e-5);
  // Weights are normalised; a picture of weight 0 does nothing.
  const at::Tensor same = make_engine(adaptive_spec({picture(1, 3), picture(2, 0)}), {})->stylise(frame);
  EXPECT_LT((same - one).abs().max().item<double>(), 1e-5);
}

TEST(StyleEngine, AdaptiveRefusesWhatItCannotUse) {
  EXPECT_THROW(adaptive_spec({}), UsageError);
  TensorFile file;
  file.tensors["c1.conv.weight"] = at::zeros({32, 3, 9, 9});
  EXPECT_THROW(
      make_engine_spec("adaptive", write_safetensors(file), "w", {picture(1)}, 1, tensor::Precision::fp32),
      UsageError);
  Buffer whole = adaptive_weights();
  const Buffer cut(std::span<const std::byte>(whole.data(), whole.size() / 2));
  EXPECT_THROW(make_engine_spec("adaptive", cut.clone(), "w", {picture(1)}, 1, tensor::Precision::fp32),
               UsageError);
}

}  // namespace
}  // namespace atelier::models
