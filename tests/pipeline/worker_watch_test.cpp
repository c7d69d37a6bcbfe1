#include "worker_watch.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "atelier/base/text.h"
#include "worker_guard.h"

namespace atelier::pipeline {
namespace {

io::ProcessIdentity process(const std::string& host, std::int64_t pid) {
  return {host, "boot of " + host, "pid:[1]", pid, 7};
}

/// Ranks 1 and 2 on the root's machine, 3 and 4 on node2, 5 on node3. The clock is in the test's hand.
class Watched : public testing::Test {
 protected:
  Watched()
      : watch({.timeout_s = 20, .self = process("node1", 1), .runs = [this](const io::ProcessIdentity& p) {
                 return !ended.contains(p.pid);
               }}) {
    for (const int rank : {1, 2, 3, 4, 5})
      watch.greeted(rank, process(rank < 3 ? "node1" : rank < 5 ? "node2" : "node3", 100 + rank), now_s);
  }

  /// Time passes in small steps in which these ranks answer; gives the first loss.
  std::string pass(double seconds_s, const std::set<int>& answering) {
    for (const double end_s = now_s + seconds_s; now_s < end_s; now_s += 0.01) {
      for (const int rank : watch.to_ping(now_s))
        if (answering.contains(rank)) watch.heard(rank, now_s);
      if (const auto lost = watch.lost(now_s)) return concat(lost->who, " (", lost->why, ")");
    }
    return "";
  }

  double now_s = 1000;
  std::set<std::int64_t> ended;
  WorkerWatch watch;
};

const std::set<int> all = {1, 2, 3, 4, 5};

TEST_F(Watched, NobodyIsLostWhileAllAnswer) {
  EXPECT_EQ(pass(300, all), "");
}

TEST_F(Watched, ProcessesOfThisMachineAreLookedUp) {
  ended.insert(102);
  const double began_s = now_s;
  EXPECT_EQ(pass(5, all), "rank 2 on node1 is gone (its process has ended)");
  EXPECT_LT(now_s - began_s, 0.6);
}

TEST_F(Watched, ProcessesElsewhereAreNotLookedUp) {
  ended.insert(103);  // another process may have that number here
  EXPECT_EQ(pass(60, all), "");
}

TEST_F(Watched, SilentMachineIsNamedOnceWithAllItsRanks) {
  pass(5, all);
  const double began_s = now_s;
  EXPECT_EQ(pass(60, {1, 2, 5}), "ranks 3, 4 on node2 are gone (nothing was heard for 20 s)");
  EXPECT_GT(now_s - began_s, 17.9);
  EXPECT_LT(now_s - began_s, 20.1);
}

TEST_F(Watched, AnyMessageIsASignOfLife) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(pass(10, {1, 2, 3, 4}), "");
    watch.heard(5, now_s);
  }
}

TEST_F(Watched, TimeInWhichTheRootWasAwayCountsForNobody) {
  pass(5, all);
  now_s += 500;
  EXPECT_EQ(pass(15, {}), "");
  EXPECT_NE(pass(10, {}), "");
}

TEST_F(Watched, WhoAsksForTimeGetsIt) {
  watch.asks_for(3, 100);
  EXPECT_EQ(pass(90, {1, 2, 4, 5}), "");
  watch.heard(3, now_s);  // then as before
  EXPECT_EQ(pass(60, {1, 2, 4, 5}), "rank 3 on node2 is gone (nothing was heard for 20 s)");
}

TEST_F(Watched, WhoHasLeftIsNotMissed) {
  for (const int rank : {3, 4}) watch.left(rank);
  EXPECT_EQ(pass(60, {1, 2, 5}), "");
}

TEST_F(Watched, DoubtSettlesWithinASecond) {
  pass(5, all);
  watch.doubt(now_s);
  const double began_s = now_s;
  EXPECT_EQ(pass(5, {3, 4}), "rank 5 on node3 is gone (no answer, and the launcher ends the job)");
  EXPECT_LT(now_s - began_s, 1);
}

TEST_F(Watched, DoubtEndsWhenAllElsewhereHaveAnswered) {
  pass(5, all);
  watch.doubt(now_s);
  EXPECT_TRUE(watch.in_doubt());
  EXPECT_EQ(pass(0.1, {3, 4, 5}), "");
  EXPECT_FALSE(watch.in_doubt());
}

TEST_F(Watched, DoubtSparesWhoAskedForTime) {
  pass(5, all);
  watch.asks_for(5, 100);
  watch.doubt(now_s);
  EXPECT_EQ(pass(2, {3, 4}), "");
}

TEST(WorkerWatch, RanksThatNeverSayHelloAreLost) {
  WorkerWatch watch({.timeout_s = 20, .hello_s = 60, .self = process("node1", 1), .runs = {}});
  double now_s = 1000;
  watch.expect(5, now_s);
  watch.greeted(2, process("node2", 2), now_s);
  const auto pass = [&](double seconds_s) {
    std::optional<LostWorkers> lost;
    for (const double end_s = now_s + seconds_s; now_s < end_s && !lost; now_s += 0.5) {
      watch.heard(2, now_s);
      lost = watch.lost(now_s);
    }
    return lost;
  };
  EXPECT_FALSE(pass(50));
  watch.greeted(3, process("node2", 3), now_s);
  watch.left(3);
  const auto lost = pass(20);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->who, "ranks 1, 4 are gone");
  EXPECT_EQ(lost->why, "not a word came since the start, 60 s ago");
}

TEST(WorkerWatch, SilenceProvesNothingWithoutATimeout) {
  WorkerWatch watch({.timeout_s = 0, .self = process("node1", 1), .runs = {}});
  watch.expect(3, 0);
  watch.greeted(1, process("node2", 2), 0);
  for (double now_s = 0; now_s < 1000; now_s += 0.5) EXPECT_FALSE(watch.lost(now_s));
}

TEST(WorkerWatch, RanksOfSeveralMachinesStandInOneSentence) {
  WorkerWatch watch({.timeout_s = 2, .self = process("node1", 1), .runs = {}});
  for (const int rank : {7, 8, 9}) watch.greeted(rank, process(rank < 9 ? "a" : "b", rank), 0);
  std::optional<LostWorkers> lost;
  for (double now_s = 0; now_s < 5 && !lost; now_s += 0.5) lost = watch.lost(now_s);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->who, "ranks 7, 8 on a and rank 9 on b are gone");
}

TEST(RootWatch, ThePingSaysHowLongTheRootMayBeSilent) {
  RootWatch watch;
  EXPECT_FALSE(watch.heard({.kind = static_cast<int>(MessageKind::frame)}));
  EXPECT_EQ(watch.patience_s(), 3600);
  EXPECT_TRUE(watch.heard({.kind = static_cast<int>(MessageKind::ping), .flags = 20}));
  EXPECT_EQ(watch.patience_s(), 20);
  EXPECT_FALSE(watch.gone());
}

}  // namespace
}  // namespace atelier::pipeline
