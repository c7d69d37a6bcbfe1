#include "atelier/pipeline/worker_clock.h"

#include <gtest/gtest.h>

#include <random>

namespace atelier::pipeline {
namespace {

TEST(WorkerClock, TheFastestMessageTellsTheOffset) {
  WorkerClock clock;
  clock.heard(100, 2.5);  // 0.5 s under way
  EXPECT_NEAR(clock.job_s(100), 2.5, 1e-9);
  clock.heard(101, 3.001);  // 1 ms
  EXPECT_NEAR(clock.job_s(100), 2.001, 1e-9);
  clock.heard(102, 4.9);
  EXPECT_NEAR(clock.job_s(100), 2.001, 1e-3);
}

// Ten hours, clocks that drift apart by 50 us a second, and messages that are under way for 1 to 100 ms.
TEST(WorkerClock, FollowsAClockThatDrifts) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> under_way_s(0.001, 0.1);
  for (const double rate : {1 - 5e-5, 1 + 5e-5}) {
    WorkerClock clock;
    double worst_s = 0;
    for (double job_s = 10; job_s < 36000; job_s += 2) {
      const double worker_s = 7000 + rate * job_s;
      clock.heard(worker_s, job_s + under_way_s(random));
      if (job_s > 600) worst_s = std::max(worst_s, std::abs(clock.job_s(worker_s) - job_s));
    }
    EXPECT_LT(worst_s, 0.05) << rate;  // the least of all differences would be off by 1.8 s
  }
}

}  // namespace
}  // namespace atelier::pipeline
