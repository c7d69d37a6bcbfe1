#include "decoding_plan.h"

#include <gtest/gtest.h>

namespace atelier::pipeline {
namespace {

TEST(DecodingPlan, AutoNeedsSeveralWorkersAndNearKeyframes) {
  EXPECT_FALSE(plan_decoding({.num_workers = 1, .obstacle = {}, .redundancy = 1}).at_workers);
  EXPECT_TRUE(plan_decoding({.num_workers = 2, .obstacle = {}, .redundancy = 1.5}).at_workers);
  EXPECT_FALSE(plan_decoding({.num_workers = 64, .obstacle = {}, .redundancy = 1.51}).at_workers);
  const DecodingPlan odd = plan_decoding({.num_workers = 2, .obstacle = "it has no times", .redundancy = 1});
  EXPECT_FALSE(odd.at_workers);
  EXPECT_EQ(odd.warning, "");
}

TEST(DecodingPlan, WhatIsAskedForIsDoneOrSaid) {
  EXPECT_FALSE(plan_decoding({.wanted = "root", .num_workers = 9, .obstacle = {}}).at_workers);
  const DecodingPlan one = plan_decoding({.wanted = "workers", .num_workers = 1, .obstacle = {}});
  EXPECT_TRUE(one.at_workers);
  EXPECT_EQ(one.warning, "");
  const DecodingPlan far =
      plan_decoding({.wanted = "workers", .num_workers = 2, .obstacle = {}, .redundancy = 4});
  EXPECT_TRUE(far.at_workers);
  EXPECT_NE(far.warning, "");
  const DecodingPlan hopeless =
      plan_decoding({.wanted = "workers", .num_workers = 2, .obstacle = {}, .redundancy = 21});
  EXPECT_FALSE(hopeless.at_workers);
  EXPECT_NE(hopeless.warning, "");
  const DecodingPlan odd =
      plan_decoding({.wanted = "workers", .num_workers = 2, .obstacle = "it has no times"});
  EXPECT_FALSE(odd.at_workers);
  EXPECT_NE(odd.warning.find("it has no times"), std::string::npos);
}

}  // namespace
}  // namespace atelier::pipeline
