#include "atelier/planning/simulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::planning {
namespace {

// Of sums of doubles, relative to values of at most some thousand seconds.
constexpr double rounding_s = 1e-6;

JobModel job(int num_workers, std::int64_t num_frames, std::int64_t chunk_frames) {
  JobModel model;
  model.num_frames = num_frames;
  model.chunk_frames = chunk_frames;
  model.frame_bytes = 100'000;
  model.worker_ready_s.assign(static_cast<std::size_t>(num_workers), 0.0);
  model.num_local_workers = num_workers;
  return model;
}

double busy_s(const Simulation& simulation, const std::string& stage) {
  for (const StageUse& use : simulation.stages)
    if (use.name == stage) return use.busy_s;
  ADD_FAILURE() << "no stage " << stage;
  return -1;
}

// All stages of all frames one after another.
double serial_s(const JobModel& model) {
  const auto num_frames = static_cast<double>(model.num_frames);
  const double num_chunks = std::ceil(num_frames / static_cast<double>(model.chunk_frames));
  return model.startup_s + model.finish_s +
         num_frames *
             (model.decode_s + 2 * model.message_s + 2 * model.network_s + model.style_s + model.encode_s) +
         num_chunks * (model.chunk_overhead_s + model.store_s);
}

// What the busiest stage needs.
double limit_s(const Simulation& simulation) {
  double limit = 0;
  for (const StageUse& use : simulation.stages) limit = std::max(limit, use.busy_s / use.num_lanes);
  return limit;
}

// 1 to 70 workers, every stage in turn fast, slow or free.
JobModel random_job(std::mt19937& random) {
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
  const auto seconds_s = [&] {
    const int kind = pick(0, 3);
    return kind == 0 ? 0.0 : kind == 1 ? pick(1, 9) * 1e-4 : pick(1, 50) * 1e-3;
  };
  JobModel model = job(pick(0, 4) == 0 ? pick(20, 70) : pick(1, 6), pick(1, 400), pick(1, 30));
  model.frame_bytes = static_cast<std::size_t>(pick(1, 20'000'000));
  model.num_local_workers = pick(0, static_cast<int>(model.worker_ready_s.size()));
  model.startup_s = seconds_s();
  for (double& ready_s : model.worker_ready_s) ready_s = seconds_s();
  model.decode_s = seconds_s();
  model.decode_at_workers = pick(0, 1) == 1;
  model.num_decoders = pick(1, 4);
  model.message_s = seconds_s() / 10;
  model.network_s = seconds_s() / 10;
  model.style_s = seconds_s();
  model.threads_per_worker = pick(1, 4);
  model.encode_at_workers = pick(0, 1) == 1;
  model.encode_s = seconds_s();
  model.num_encoders = pick(1, 8);
  model.chunk_overhead_s = seconds_s();
  model.store_s = seconds_s();
  model.finish_s = seconds_s();
  return model;
}

TEST(Simulation, OneFrameTakesEveryStageOnce) {
  JobModel model = job(1, 1, 48);
  model.startup_s = 10;
  model.decode_s = 1;
  model.message_s = 0.25;
  model.style_s = 4;
  model.encode_s = 2;
  model.chunk_overhead_s = 0.5;
  model.store_s = 0.125;
  model.finish_s = 3;
  // Decoded within the start; sent, styled, sent back, encoded, stored.
  EXPECT_DOUBLE_EQ(simulate(model).wall_s, 10 + 0.25 + 4 + 0.25 + 0.5 + 2 + 0.125 + 3);
  // Encoded where it is styled, nothing but the segment comes back.
  model.encode_at_workers = true;
  EXPECT_DOUBLE_EQ(simulate(model).wall_s, 10 + 0.25 + 4 + 0.5 + 2 + 0.125 + 3);
  // Over the network there, and the segment back.
  model.num_local_workers = 0;
  model.network_s = 0.0625;
  EXPECT_DOUBLE_EQ(simulate(model).wall_s, 10 + 0.25 + 0.0625 + 4 + 0.5 + 2 + 0.125 + 3);
}

TEST(Simulation, StylingIsDividedAmongWorkers) {
  JobModel model = job(1, 96, 12);
  model.style_s = 0.5;
  EXPECT_DOUBLE_EQ(simulate(model).wall_s, 48);
  model = job(4, 96, 12);
  model.style_s = 0.5;
  const Simulation four = simulate(model);
  EXPECT_DOUBLE_EQ(four.wall_s, 12);  // 8 chunks, 2 each
  EXPECT_EQ(four.frames_per_worker, (std::vector<std::int64_t>{24, 24, 24, 24}));
  model.threads_per_worker = 3;
  EXPECT_DOUBLE_EQ(simulate(model).wall_s, 4);
  // Three workers: 8 chunks are 3, 3 and 2.
  model = job(3, 96, 12);
  model.style_s = 0.5;
  EXPECT_DOUBLE_EQ(simulate(model).wall_s, 18);
}

TEST(Simulation, DecodingLimits) {
  JobModel model = job(4, 100, 10);
  model.decode_s = 1;
  model.style_s = 2;
  // The last frame is decoded at 100, all workers have room: it is styled by then.
  const Simulation simulation = simulate(model);
  EXPECT_GE(simulation.wall_s, 102);
  // One chunk is filled at a time, so its worker gets a frame a second and needs two: each chunk of 10 is
  // done 10 seconds after its last frame.
  EXPECT_DOUBLE_EQ(simulation.wall_s, 91 + 20);
  EXPECT_DOUBLE_EQ(busy_s(simulation, "decode"), 100);
}

TEST(Simulation, WorkersDecodeForThemselves) {
  JobModel model = job(4, 120, 10);
  model.decode_s = 1;
  model.style_s = 0.5;
  model.decode_at_workers = true;
  // 12 chunks on 4 workers: 3 each, decoded one after another; the last frame is styled after that.
  EXPECT_DOUBLE_EQ(simulate(model).wall_s, 30.5);
  // Two chunks at a time, so a worker that has two is done with both after ten seconds, and styles as fast.
  model.num_decoders = 2;
  EXPECT_NEAR(simulate(model).wall_s, 20.5, 0.51);
  // Slow styling holds the decoders up: two frames wait, and one in each decoder.
  model.style_s = 2;
  EXPECT_NEAR(simulate(model).wall_s, 61, rounding_s);
  EXPECT_DOUBLE_EQ(busy_s(simulate(model), "decode"), 120);
  EXPECT_DOUBLE_EQ(busy_s(simulate(model), "messages"), 0);
}

TEST(Simulation, EncodersLimit) {
  JobModel model = job(4, 120, 10);
  model.style_s = 0.001;
  model.encode_s = 1;
  model.num_encoders = 2;
  const Simulation at_root = simulate(model);
  EXPECT_NEAR(at_root.wall_s, 60, 0.1);  // two at a time
  model.encode_at_workers = true;
  const Simulation at_workers = simulate(model);
  EXPECT_NEAR(at_workers.wall_s, 20, 0.1);  // 12 chunks, 8 at a time: two rounds
  EXPECT_DOUBLE_EQ(busy_s(at_root, "encode"), 120);
  EXPECT_DOUBLE_EQ(busy_s(at_workers, "encode"), 120);
}

TEST(Simulation, MessagesAndNetworkLimit) {
  JobModel model = job(4, 100, 10);
  model.message_s = 0.5;
  EXPECT_NEAR(simulate(model).wall_s, 100, 0.6);  // there and back
  model.encode_at_workers = true;
  EXPECT_NEAR(simulate(model).wall_s, 50, 0.6);
  model = job(4, 100, 10);
  model.network_s = 0.5;
  EXPECT_DOUBLE_EQ(simulate(model).wall_s, 0);  // all on the root's machine
  model.num_local_workers = 0;
  EXPECT_NEAR(simulate(model).wall_s, 50, 1.1);  // each way for itself
}

TEST(Simulation, WorkersThatComeLateAreUsed) {
  JobModel model = job(2, 100, 10);
  model.style_s = 1;
  model.worker_ready_s = {0, 50};
  const Simulation simulation = simulate(model);
  // 50 frames by then; of the 5 chunks left two are with the first already, three rounds of ten are needed.
  EXPECT_NEAR(simulation.wall_s, 80, rounding_s);
  EXPECT_EQ(simulation.frames_per_worker, (std::vector<std::int64_t>{80, 20}));
}

TEST(Simulation, CountsWhatIsNotStored) {
  JobModel model = job(1, 40, 10);
  model.style_s = 1;
  // A chunk is stored with its last frame: 9, 8 … 0 seconds after its frames were styled, 4.5 on average; and
  // half of the frame in work.
  EXPECT_DOUBLE_EQ(simulate(model).mean_unstored_frames, 5);
  model.chunk_frames = 20;
  EXPECT_DOUBLE_EQ(simulate(model).mean_unstored_frames, 10);
}

TEST(Simulation, EveryFrameIsStyledAndEveryChunkStoredOnce) {
  std::mt19937 random(1);
  for (int i = 0; i < 400; ++i) {
    const JobModel model = random_job(random);
    const Simulation simulation = simulate(model);
    SCOPED_TRACE(i);
    EXPECT_EQ(std::reduce(simulation.frames_per_worker.begin(), simulation.frames_per_worker.end()),
              model.num_frames);
    const std::int64_t num_chunks = (model.num_frames + model.chunk_frames - 1) / model.chunk_frames;
    ASSERT_EQ(static_cast<std::int64_t>(simulation.chunk_stored_s.size()), num_chunks);
    const auto [first, last] = std::ranges::minmax(simulation.chunk_stored_s);
    EXPECT_GE(first, model.startup_s);
    EXPECT_DOUBLE_EQ(last, simulation.last_stored_s);
    EXPECT_DOUBLE_EQ(simulation.wall_s,
                     std::max(last, std::ranges::max(model.worker_ready_s)) + model.finish_s);
    const auto num_frames = static_cast<double>(model.num_frames);
    EXPECT_NEAR(busy_s(simulation, "style"), num_frames * model.style_s, rounding_s);
    EXPECT_NEAR(busy_s(simulation, "decode"), num_frames * model.decode_s, rounding_s);
    EXPECT_NEAR(busy_s(simulation, "encode"),
                num_frames * model.encode_s + static_cast<double>(num_chunks) * model.chunk_overhead_s,
                rounding_s);
    const int num_passes = (model.encode_at_workers ? 0 : 1) + (model.decode_at_workers ? 0 : 1);
    EXPECT_NEAR(busy_s(simulation, "messages"), num_frames * model.message_s * num_passes, rounding_s);
  }
}

TEST(Simulation, LiesBetweenTheSlowestStageAndTheSum) {
  std::mt19937 random(2);
  for (int i = 0; i < 400; ++i) {
    const JobModel model = random_job(random);
    const Simulation simulation = simulate(model);
    SCOPED_TRACE(i);
    const double ready_s = std::ranges::max(model.worker_ready_s);
    EXPECT_GE(simulation.wall_s, limit_s(simulation) - rounding_s);
    EXPECT_LE(simulation.wall_s, serial_s(model) + ready_s + model.decode_s + rounding_s);
  }
}

// Greedy dealing has anomalies: a faster stage may deal a chunk to a worker that is then later done.
TEST(Simulation, AFasterStageCostsAChunkAtMost) {
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    const JobModel model = random_job(random);
    const double before_s = simulate(model).wall_s;
    const double chunk_s =
        static_cast<double>(model.chunk_frames) * (model.style_s + model.encode_s + model.decode_s) +
        model.chunk_overhead_s + model.store_s;
    for (double JobModel::*stage :
         {&JobModel::decode_s, &JobModel::message_s, &JobModel::network_s, &JobModel::style_s,
          &JobModel::encode_s, &JobModel::chunk_overhead_s, &JobModel::store_s}) {
      JobModel faster = model;
      faster.*stage *= 0.5;
      // A worker that decodes or encodes has several chunks in hand.
      const int num_chunks = std::max(model.decode_at_workers ? model.num_decoders : 0,
                                      model.encode_at_workers ? model.num_encoders : 0) +
                             1;
      EXPECT_LE(simulate(faster).wall_s, before_s + num_chunks * chunk_s + rounding_s) << i;
    }
  }
}

TEST(Simulation, IsDeterministic) {
  std::mt19937 random(4);
  for (int i = 0; i < 20; ++i) {
    const JobModel model = random_job(random);
    EXPECT_EQ(simulate(model).chunk_stored_s, simulate(model).chunk_stored_s);
  }
}

TEST(Simulation, ManagesALongJobOnManyWorkers) {
  for (const bool encode_at_workers : {false, true}) {
    JobModel model = job(64, 480'000, 48);
    model.decode_s = 0.0004;
    model.message_s = 0.0001;
    model.style_s = 0.04;
    model.encode_s = 0.005;
    model.num_encoders = 8;
    model.encode_at_workers = encode_at_workers;
    const Simulation simulation = simulate(model);
    EXPECT_EQ(simulation.chunk_stored_s.size(), 10'000U);
    // 64 workers style 1600 frames/s, 8 encoders at the root manage as many.
    EXPECT_NEAR(simulation.wall_s, 300, 6) << encode_at_workers;
  }
}

TEST(Simulation, NeedsFramesAndWorkers) {
  EXPECT_THROW(simulate(job(1, 0, 10)), JobError);
  EXPECT_THROW(simulate(job(0, 10, 10)), JobError);
}

}  // namespace
}  // namespace atelier::planning
