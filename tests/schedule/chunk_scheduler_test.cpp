#include "atelier/schedule/chunk_scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
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

TEST(ChunkScheduler, DealsAnewFromWhereItIsRewoundTo) {
  ChunkScheduler scheduler({.window_chunks = 3});
  scheduler.add_credits(1, 3);
  for (int chunk = 0; chunk < 3; ++chunk) EXPECT_EQ(scheduler.deal(true)->chunk_index, chunk);
  for (int chunk = 0; chunk < 3; ++chunk) scheduler.styled(1, chunk);
  scheduler.finished(0);
  scheduler.finished(2);
  scheduler.rewind(1);
  EXPECT_EQ(scheduler.num_unfinished(), 0);
  for (int chunk = 1; chunk < 4; ++chunk) {
    const auto deal = scheduler.deal(true);
    ASSERT_TRUE(deal);
    EXPECT_EQ(deal->chunk_index, chunk);
    EXPECT_FALSE(deal->retry);
    EXPECT_EQ(scheduler.num_tries(chunk), 1);
  }
  for (int chunk = 1; chunk < 4; ++chunk) scheduler.styled(1, chunk);
  EXPECT_FALSE(scheduler.deal(true)) << "the window begins at chunk 1";
  scheduler.finished(1);
  EXPECT_EQ(scheduler.deal(true)->chunk_index, 4);
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

// Plays a job: every worker does its chunks one after another. Returns when the last is done, in units of a
// chunk's time on a fast worker.
double time_of_a_job(const std::vector<double>& chunk_times, std::int64_t num_chunks, bool expected) {
  constexpr int credits = 2;
  ChunkScheduler scheduler({.window_chunks = 1000});
  if (expected) scheduler.expect_chunks(num_chunks);
  const int num_workers = static_cast<int>(chunk_times.size());
  for (int worker = 0; worker < num_workers; ++worker) scheduler.add_credits(worker, credits);
  std::map<int, std::deque<std::int64_t>> queues;
  std::map<int, double> done_at;  // of the chunk at the front
  double now = 0;
  for (std::int64_t num_done = 0; num_done < num_chunks; ++num_done) {
    while (const auto deal = scheduler.deal(scheduler.next_chunk() < num_chunks)) {
      auto& queue = queues[deal->worker];
      queue.push_back(deal->chunk_index);
      if (queue.size() == 1)
        done_at[deal->worker] = now + chunk_times[static_cast<std::size_t>(deal->worker)];
    }
    const auto next = std::min_element(done_at.begin(), done_at.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (next == done_at.end()) return -1;
    const int worker = next->first;
    now = next->second;
    auto& queue = queues[worker];
    scheduler.styled(worker, queue.front());
    scheduler.finished(queue.front());
    queue.pop_front();
    if (queue.empty())
      done_at.erase(worker);
    else
      next->second = now + chunk_times[static_cast<std::size_t>(worker)];
  }
  return now;
}

// At most one chunk's time is lost at the end.
TEST(ChunkScheduler, EqualWorkersEndTogether) {
  for (const std::int64_t num_chunks : {8, 40, 41, 43, 100}) {
    const double ideal = static_cast<double>(num_chunks) / 4;
    EXPECT_LE(time_of_a_job({1, 1, 1, 1}, num_chunks, true), ideal + 1) << num_chunks;
    EXPECT_LE(time_of_a_job({1, 1, 1, 1}, num_chunks, false), ideal + 1) << num_chunks;
  }
}

// A slow worker costs its share of the work: at the end at most two chunks' time of a fast worker are lost,
// or one chunk's of the slow one where nobody knows how many chunks there are. The job must be longer than
// the two chunks that it gets before anybody knows it.
TEST(ChunkScheduler, ASlowWorkerCostsItsShareOnly) {
  for (const double slow : {3.0, 4.0, 8.0, 30.0}) {
    for (const std::int64_t num_chunks : {430, 500, 777}) {
      const double ideal = static_cast<double>(num_chunks) / (7 + 1 / slow);
      const std::vector<double> times{1, 1, 1, slow, 1, 1, 1, 1};
      EXPECT_LE(time_of_a_job(times, num_chunks, true), ideal + 2) << slow << ", " << num_chunks;
      EXPECT_LE(time_of_a_job(times, num_chunks, false), ideal + slow + 1) << slow << ", " << num_chunks;
    }
  }
}

// Whoever is left works on, however slow.
TEST(ChunkScheduler, SlowWorkersFinishAJobAlone) {
  EXPECT_GT(time_of_a_job({50}, 3, true), 0);
  EXPECT_GT(time_of_a_job({1, 50, 50, 50}, 30, true), 0);
  ChunkScheduler scheduler({.window_chunks = 1000, .max_tries = 100, .max_worker_failures = 1});
  scheduler.expect_chunks(12);
  scheduler.add_credits(1, 1);
  scheduler.add_credits(2, 1);
  ASSERT_EQ(scheduler.deal(true)->worker, 1);
  ASSERT_EQ(scheduler.deal(true)->worker, 2);
  for (std::int64_t chunk = 0; chunk < 10; ++chunk) {
    scheduler.styled(1, chunk == 0 ? 0 : chunk + 1);
    ASSERT_EQ(scheduler.deal(true)->worker, 1);
  }
  scheduler.styled(2, 1);
  EXPECT_FALSE(scheduler.deal(true)) << "the other one is sooner done";
  EXPECT_EQ(scheduler.failed(1, 11), Verdict::retry);
  EXPECT_TRUE(scheduler.retired(1));
  EXPECT_EQ(scheduler.deal(false)->worker, 2);
}

}  // namespace
}  // namespace atelier::schedule
