#include "motion.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

namespace atelier::training {
namespace {

at::Tensor pictures() {
  return at::rand({6, 3, 96, 96}, at::make_generator<at::CPUGeneratorImpl>(1), at::kFloat);
}

TEST(NextFrame, ComesOfSeedAndNumber) {  // exact
  const at::Tensor frames = pictures();
  EXPECT_TRUE(next_frame(frames, 1, 5).frames.equal(next_frame(frames, 1, 5).frames));
  EXPECT_FALSE(next_frame(frames, 1, 5).frames.equal(next_frame(frames, 1, 6).frames));
  EXPECT_FALSE(next_frame(frames, 1, 5).frames.equal(next_frame(frames, 2, 5).frames));
}

TEST(MotionLoss, IsLittleForTheFramesThemselves) {  // 4e-4: the noise, 2e-2 at most, squared
  const at::Tensor frames = pictures();
  for (std::uint64_t number = 0; number < 4; ++number) {
    const NextFrame next = next_frame(frames, 3, number);
    // A change of light is one of each channel in the frames, and of luminance in the expected painting.
    EXPECT_LT(motion_loss(frames, next.frames, next).item<double>(), 2e-3) << number;
    EXPECT_GT(motion_loss(frames, frames.flip(0), next).item<double>(), 2e-2) << number;
  }
}

TEST(NextFrame, JudgesNoPixelThatIsCoveredOrCameIn) {
  const NextFrame next = next_frame(pictures(), 3, 1);
  EXPECT_GT(next.mask.mean().item<double>(), 0.5);
  EXPECT_LT(next.mask.mean().item<double>(), 1);
  const at::Tensor changed = next.frames + (1 - next.mask);
  EXPECT_EQ(motion_loss(pictures(), changed, next).item<double>(),
            motion_loss(pictures(), next.frames, next).item<double>());
}

}  // namespace
}  // namespace atelier::training
