#include "outbox.h"

#include <gtest/gtest.h>

#include "atelier/transport/loopback_communicator.h"
#include "counting_communicator.h"

namespace atelier::pipeline {
namespace {

TEST(Idle, SpinsWhileBusyAndSleepsLongerAndLonger) {
  Idle idle;
  EXPECT_EQ(idle.next(true).count(), 0);
  auto last = idle.next(false);
  EXPECT_GT(last.count(), 0);
  for (int i = 0; i < 20; ++i) {
    const auto next = idle.next(false);
    EXPECT_GE(next, last);
    EXPECT_LE(next, Idle::default_limit);
    last = next;
  }
  EXPECT_EQ(last, Idle::default_limit);
  EXPECT_EQ(idle.next(true).count(), 0);
  EXPECT_LT(idle.next(false), Idle::default_limit);
}

TEST(Idle, GivesWayToWhatIsArrivingButNotForEver) {
  Idle idle;
  EXPECT_EQ(idle.next(false, true).count(), 0);
  Idle::Microseconds wait{0};
  for (int i = 0; i < 1000 && wait.count() == 0; ++i) wait = idle.next(false, true);
  EXPECT_GT(wait.count(), 0);
  EXPECT_LT(wait, Idle::default_limit);
}

TEST(Idle, ManyProcessesOnFewCoresLookLessOften) {
  EXPECT_EQ(idle_limit(1, 2), Idle::default_limit);
  EXPECT_EQ(idle_limit(9, 64), Idle::default_limit);
  EXPECT_EQ(idle_limit(33, 2), 8 * Idle::default_limit);
  EXPECT_EQ(idle_limit(4096, 1), 16 * Idle::default_limit);
}

TEST(CountingCommunicator, CountsByRank) {
  auto [root, worker] = transport::make_loopback();
  CountingCommunicator counted(*root);
  CountingCommunicator other(*worker);
  (void)counted.send(1, {}, Buffer(100));
  (void)counted.send(1, {}, {});
  ASSERT_TRUE(other.poll());
  const auto header = static_cast<std::int64_t>(sizeof(transport::MessageHeader));
  EXPECT_EQ(counted.with(1).sent_bytes, 100 + 2 * header);
  EXPECT_EQ(counted.total().received_bytes, 0);
  EXPECT_EQ(other.with(0).received_bytes, 100 + header);
  EXPECT_EQ(other.total().sent_bytes, 0);
}

}  // namespace
}  // namespace atelier::pipeline
