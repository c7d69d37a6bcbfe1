#include "trial_frame.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <string>

#include "atelier/base/error.h"

namespace atelier::pipeline {
namespace {

VideoFormat format(int bit_depth) {
  VideoFormat format;
  format.width_px = 18;
  format.height_px = 10;
  format.bit_depth = bit_depth;
  return format;
}

class ScalingEngine final : public models::StyleEngine {
 public:
  explicit ScalingEngine(float factor) : factor_(factor) {}
  at::Tensor stylise(const at::Tensor& frames) override { return frames * factor_; }

 private:
  float factor_;
};

class BrokenEngine final : public models::StyleEngine {
 public:
  at::Tensor stylise(const at::Tensor& /*frames*/) override { throw JobError("broken"); }
};

TEST(TrialFrame, TellsTheLastBitOfAFloat) {
  for (const int bit_depth : {8, 10, 16}) {
    ScalingEngine plain(1);
    ScalingEngine off_by_little(1 + 0x1p-23F);
    const std::string bits = trial_frame_bits(plain, format(bit_depth));
    EXPECT_EQ(bits.size(), 16U);
    EXPECT_EQ(trial_frame_bits(plain, format(bit_depth)), bits);
    EXPECT_NE(trial_frame_bits(off_by_little, format(bit_depth)), bits);
  }
}

TEST(TrialFrame, SaysWhereAnEngineCannotDoIt) {
  BrokenEngine engine;
  EXPECT_EQ(trial_frame_bits(engine, format(8)), "no trial frame");
}

}  // namespace
}  // namespace atelier::pipeline
