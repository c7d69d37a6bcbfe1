#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <array>

#include "atelier/base/stopwatch.h"
#include "atelier/models/style_engine.h"

namespace atelier::models {
namespace {

using Clock = std::chrono::steady_clock;

std::unique_ptr<StyleEngine> simulated(double frame_ms) {
  EngineSpec spec = make_engine_spec("simulated", {}, "", {}, 1, tensor::Precision::fp32);
  spec.simulated_ms = frame_ms;
  return make_engine(spec.clone(), {});
}

// Sleeping can be longer than asked, never shorter: only the least time is certain.
TEST(SimulatedEngine, TakesItsTimeAndKeepsThePlanes) {
  const auto engine = simulated(20);
  auto* planes_engine = dynamic_cast<PlanesEngine*>(engine.get());
  ASSERT_NE(planes_engine, nullptr);
  std::array<std::byte, 3> planes{std::byte{1}, std::byte{2}, std::byte{3}};
  const std::array<std::byte, 3> before = planes;
  const Stopwatch watch;
  const auto ready_at = Clock::now();
  for (int i = 0; i < 3; ++i) planes_engine->stylise_planes(planes, ready_at);
  EXPECT_GE(watch.seconds_s(), 0.06);
  EXPECT_EQ(planes, before);
}

// Frames that have waited begin one after the other, however late the caller comes for them.
TEST(SimulatedEngine, AFrameThatWaitedCostsNoTimeTwice) {
  const auto engine = simulated(1);
  auto& planes_engine = dynamic_cast<PlanesEngine&>(*engine);
  const auto long_ago = Clock::now() - std::chrono::seconds(3600);
  const Stopwatch watch;
  for (int i = 0; i < 100000; ++i) planes_engine.stylise_planes({}, long_ago);
  EXPECT_LT(watch.seconds_s(), 100);
}

TEST(SimulatedEngine, TensorsToo) {
  const auto engine = simulated(5);
  const at::Tensor frames = at::randn({2, 3, 5, 7});
  const Stopwatch watch;
  EXPECT_TRUE(at::equal(engine->stylise(frames), frames));
  EXPECT_GE(watch.seconds_s(), 0.01);
}

TEST(SimulatedEngine, StandsForOneGpu) {
  EngineSpec spec;
  EXPECT_GT(max_callers(spec), 1000);
  spec.kind = "simulated";
  EXPECT_EQ(max_callers(spec), 1);
}

}  // namespace
}  // namespace atelier::models
