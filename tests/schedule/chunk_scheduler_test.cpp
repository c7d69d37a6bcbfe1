#include "atelier/schedule/chunk_scheduler.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

namespace atelier::schedule {
namespace {

using Verdict = ChunkScheduler::Verdict;

TEST(ChunkScheduler, DealsToTheWorkerWithMostCredits) {
  ChunkScheduler scheduler({});
  EXPECT_FALSE(scheduler.deal(true));
  scheduler.add_credits(1, 1);
  scheduler.add_credits(2, 2);
  std::vector<int> workers;
  while (const auto deal = scheduler.deal(true)) {
    EXPECT_EQ(deal->chunk_index, static_cast<std::int64_t>(workers.size()));
    workers.push_back(deal->worker);
  }
  EXPECT_EQ(workers, (std::vector<int>{2, 1, 2}));
  EXPECT_FALSE(scheduler.deal(true));
  scheduler.styled(1, 1);
  EXPECT_EQ(scheduler.deal(true)->worker, 1);
}

TEST(ChunkScheduler, NeverDealsPastTheWindow) {
  ChunkScheduler scheduler({.window_chunks = 3});
  scheduler.add_credits(1, 100);
  EXPECT_EQ(scheduler.deal(true)->chunk_index, 0);
  EXPECT_EQ(scheduler.deal(true)->chunk_index, 1);
  EXPECT_EQ(scheduler.deal(true)->chunk_index, 2);
  EXPECT_FALSE(scheduler.deal(true));
  scheduler.finished(1);
  EXPECT_FALSE(scheduler.deal(true)) << "chunk 0 is the oldest and not finished";
  scheduler.finished(0);
  EXPECT_EQ(scheduler.deal(true)->chunk_index, 3);
  EXPECT_EQ(scheduler.deal(true)->chunk_index, 4);
  EXPECT_FALSE(scheduler.deal(true));
  EXPECT_FALSE(scheduler.deal(false));
}

TEST(ChunkScheduler, SkipsWhatIsFinishedAlready) {
  ChunkScheduler scheduler({.window_chunks = 2});
  scheduler.add_credits(1, 100);
  scheduler.skip();
  EXPECT_EQ(scheduler.deal(true)->chunk_index, 1);
  scheduler.skip();
  EXPECT_EQ(scheduler.num_unfinished(), 1);
  EXPECT_EQ(scheduler.next_chunk(), 3);
  EXPECT_FALSE(scheduler.deal(true)) << "chunk 1 is the oldest and not finished";
  scheduler.finished(1);
  EXPECT_EQ(scheduler.deal(true)->chunk_index, 3);
}

TEST(ChunkScheduler, DealsAFailedChunkFirstAndToAnotherWorker) {
  ChunkScheduler scheduler({});
  scheduler.add_credits(1, 2);
  scheduler.add_credits(2, 1);
  ASSERT_EQ(scheduler.deal(true)->worker, 1);  // chunk 0; both have one credit left
  EXPECT_EQ(scheduler.failed(1, 0), Verdict::retry);
  const auto deal = scheduler.deal(true);
  ASSERT_TRUE(deal);
  EXPECT_TRUE(deal->retry);
  EXPECT_EQ(deal->chunk_index, 0);
  EXPECT_EQ(deal->worker, 2);
  EXPECT_EQ(scheduler.num_tries(0), 2);
}

TEST(ChunkScheduler, WaitsForAnotherWorkerThanTheOneThatFailed) {
  ChunkScheduler scheduler({});
  scheduler.add_credits(1, 3);
  scheduler.add_credits(2, 1);
  EXPECT_EQ(scheduler.deal(true)->worker, 1);
  EXPECT_EQ(scheduler.deal(true)->worker, 1);
  EXPECT_EQ(scheduler.deal(true)->worker, 1);  // ties go to the lowest rank
  EXPECT_EQ(scheduler.deal(true)->worker, 2);
  EXPECT_EQ(scheduler.failed(1, 0), Verdict::retry);
  EXPECT_FALSE(scheduler.deal(false)) << "worker 2 has no room yet";
  scheduler.styled(2, 3);
  EXPECT_EQ(scheduler.deal(false)->worker, 2);
}

TEST(ChunkScheduler, GivesUpAChunkAfterItsTries) {
  ChunkScheduler scheduler({.max_tries = 2, .max_worker_failures = 100});
  scheduler.add_credits(1, 1);
  ASSERT_TRUE(scheduler.deal(true));
  EXPECT_EQ(scheduler.failed(1, 0), Verdict::retry);
  ASSERT_TRUE(scheduler.deal(true)) << "the only worker gets it again";
  EXPECT_EQ(scheduler.failed(1, 0), Verdict::chunk_hopeless);
}

TEST(ChunkScheduler, RetiresAWorkerThatKeepsFailing) {
  ChunkScheduler scheduler({.max_tries = 100, .max_worker_failures = 2});
  scheduler.add_credits(1, 2);
  ASSERT_TRUE(scheduler.deal(true));
  EXPECT_EQ(scheduler.failed(1, 0), Verdict::retry);
  EXPECT_FALSE(scheduler.retired(1));
  ASSERT_TRUE(scheduler.deal(true));
  EXPECT_EQ(scheduler.failed(1, 0), Verdict::no_worker_left);
  EXPECT_TRUE(scheduler.retired(1));
  EXPECT_FALSE(scheduler.deal(true));
}

// Property: with random workers, credits, speeds and failures every chunk is finished once, no worker ever
// has more chunks than credits, and no chunk is dealt past the window.
TEST(ChunkScheduler, FinishesEveryChunkOnceWhateverHappens) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const auto draw = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    const int num_workers = 1 + draw(5);
    const std::int64_t num_chunks = draw(40);
    const std::int64_t window = 1 + draw(6);
    ChunkScheduler scheduler({.window_chunks = window, .max_tries = 1000, .max_worker_failures = 1000});
    std::map<int, int> room;
    for (int worker = 1; worker <= num_workers; ++worker) {
      room[worker] = 1 + draw(3);
      scheduler.add_credits(worker, room[worker]);
    }
    std::vector<std::pair<int, std::int64_t>> under_way;
    std::set<std::int64_t> finished;
    int idle_rounds = 0;
    while (static_cast<std::int64_t>(finished.size()) < num_chunks) {
      while (const auto deal = scheduler.deal(scheduler.next_chunk() < num_chunks)) {
        std::int64_t oldest = 0;
        while (finished.contains(oldest)) ++oldest;
        ASSERT_LT(deal->chunk_index, oldest + window);
        ASSERT_GE(--room[deal->worker], 0);
        under_way.emplace_back(deal->worker, deal->chunk_index);
      }
      ASSERT_LT(++idle_rounds, 10000) << "no progress, seed " << seed;
      ASSERT_FALSE(under_way.empty()) << "nothing dealt, seed " << seed;
      const auto it = under_way.begin() + draw(static_cast<int>(under_way.size()));
      const auto [worker, chunk] = *it;
      under_way.erase(it);
      ++room[worker];
      if (draw(4) == 0) {
        ASSERT_EQ(scheduler.failed(worker, chunk), Verdict::retry);
      } else {
        scheduler.styled(worker, chunk);
        scheduler.finished(chunk);
        ASSERT_TRUE(finished.insert(chunk).second);
      }
    }
    EXPECT_EQ(scheduler.num_unfinished(), 0);
  }
}

}  // namespace
}  // namespace atelier::schedule
