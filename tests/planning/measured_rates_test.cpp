#include "atelier/planning/measured_rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atelier/base/error.h"
#include "measured_jobs.h"

namespace atelier::planning {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double float_s = 1e-8;  // the record keeps floats

std::string refusal(const std::vector<NamedRecord>& records) {
  try {
    measure_rates(records);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(MeasuredRates, AreThoseOfTheRecord) {
  const MeasuredRates rates = measure_rates({ideal_record({})});
  EXPECT_EQ(rates.engine, "adaptive");
  EXPECT_EQ(rates.frame_bytes, 345'600U);
  EXPECT_NEAR(rates.decode_s, 0.001, float_s);
  EXPECT_NEAR(rates.style_s, 0.044, float_s);
  EXPECT_NEAR(rates.chunk_overhead_s, 0.020, float_s);
  EXPECT_NEAR(rates.encode_s, 0.008, float_s);
  EXPECT_EQ(rates.startup.at(7), 2);
  EXPECT_NEAR(rates.finish.at(1e6), 0.5, 1e-9);
  EXPECT_EQ(rates.worker_late_s, 0);
  EXPECT_TRUE(rates.gpu);
  EXPECT_EQ(rates.num_cores, 4);
  ASSERT_EQ(rates.jobs.size(), 1U);
  EXPECT_EQ(rates.jobs[0].layout, (Layout{1, 2}));
  EXPECT_EQ(rates.jobs[0].num_frames, 480);
  EXPECT_EQ(rates.jobs[0].chunk_frames, 48);
  EXPECT_TRUE(rates.jobs[0].whole);
  EXPECT_THAT(rates.notes, IsEmpty());
}

TEST(MeasuredRates, SeveralRecordsAreCombined) {
  IdealJob larger;
  larger.layout = {2, 4};
  larger.num_frames = 960;
  larger.style_s = 0.07F;
  larger.startup_s = 5;
  larger.finish_s = 0.8;
  const MeasuredRates rates = measure_rates({ideal_record({}), ideal_record(larger, "larger.h5")});
  EXPECT_NEAR(rates.style_s, (0.044 + 2 * 0.074) / 3, float_s);  // by frames
  // 2 workers: 2 s, 8 workers: 5 s.
  EXPECT_NEAR(rates.startup.at(2), 2, 1e-9);
  EXPECT_NEAR(rates.startup.at(8), 5, 1e-9);
  EXPECT_NEAR(rates.startup.at(4), 3, 1e-9);
  EXPECT_NEAR(rates.finish.at(480), 0.5, 1e-9);
  EXPECT_NEAR(rates.finish.at(4800), 0.5 + 9 * 0.3, 1e-9);
  EXPECT_EQ(rates.jobs[1].layout, (Layout{2, 4}));
  // A job that starts faster on more workers is chance: nothing starts before it began.
  larger.startup_s = 1;
  EXPECT_EQ(measure_rates({ideal_record({}), ideal_record(larger)}).startup.at(64), 1.5);
}

TEST(MeasuredRates, FramesThatShareAGpuWaitForEachOther) {
  // Three threads of a worker: each frame takes three times as long, and no more frames are done for that.
  NamedRecord named = ideal_record({.layout = {1, 1}, .num_frames = 100, .chunk_frames = 100});
  for (io::FrameRow& row : named.record.frames) {
    row.convert_s = 0;
    row.style_s = 0.12F;
    row.transfer_s = 0.01F;
    row.done_s = 2 + 0.04 * static_cast<double>(row.frame_index + 1);
  }
  EXPECT_NEAR(measure_rates({named}).style_s, 0.04, 1e-6);
  // A GPU that waits for frames is known by what it does.
  for (io::FrameRow& row : named.record.frames) row.style_s = 0.03F;
  EXPECT_NEAR(measure_rates({named}).style_s, 0.03, 1e-6);
  // On a CPU each thread has a core of its own.
  for (auto& [name, value] : named.record.job)
    if (name == "worker_kind") value = "cpu";
  EXPECT_NEAR(measure_rates({named}).style_s, 0.04, 1e-6);
}

TEST(MeasuredRates, MessagesCostNoMoreThanTheRootWorked) {
  NamedRecord named = ideal_record({});
  const double copied_s = 345'600 / default_message_bytes_per_s;
  EXPECT_NEAR(measure_rates({named}).message_s, copied_s, 1e-12);
  io::RankRow& root = named.record.ranks[0];
  named.record.wall_s = 100;
  root.message_cpu_s = 480 * copied_s / 2;
  EXPECT_NEAR(measure_rates({named}).message_s, copied_s / 2, 1e-12);
  // Mostly looking for messages that are not there.
  root.message_cpu_s = 20;
  EXPECT_NEAR(measure_rates({named}).message_s, copied_s, 1e-12);
  // Nothing but messages.
  root.message_cpu_s = 96;
  EXPECT_NEAR(measure_rates({named}).message_s, 96.0 / 480, 1e-12);
  EXPECT_NEAR(measure_rates({named, ideal_record({})}).message_s, copied_s, 1e-12);
}

TEST(MeasuredRates, WhatAnEarlierStartMadeDoesNotCount) {
  NamedRecord named = ideal_record({});
  for (io::ChunkRow& row : named.record.chunks) {
    if (row.chunk_index >= 4) continue;
    row.num_tries = 0;
    row.dealt_s = row.styled_s = row.encoded_s = 0;
  }
  for (io::FrameRow& row : named.record.frames)
    if (row.chunk_index < 4) row.style_s = 1000;
  const MeasuredRates rates = measure_rates({named});
  EXPECT_NEAR(rates.style_s, 0.044, float_s);
  EXPECT_EQ(rates.jobs[0].num_frames, 480 - 4 * 48);
  EXPECT_FALSE(rates.jobs[0].whole);
  EXPECT_THAT(rates.notes,
              ElementsAre("4 chunks of record 'job.h5' were made by an earlier start and do not count."));
  for (io::ChunkRow& row : named.record.chunks) row.num_tries = 0;
  EXPECT_EQ(refusal({named}),
            "record 'job.h5' measures nothing (an earlier start had made all its chunks). Record a run with "
            "--no-resume.");
}

TEST(MeasuredRates, AFailedJobCountsAsFarAsItCame) {
  NamedRecord named = ideal_record({});
  named.record.job[0].second = "interrupted";
  for (io::ChunkRow& row : named.record.chunks)
    if (row.chunk_index >= 3) row.encoded_s = 0;
  for (io::FrameRow& row : named.record.frames)
    if (row.chunk_index >= 3) row.style_s = row.encode_s = 0;
  const MeasuredRates rates = measure_rates({named});
  EXPECT_NEAR(rates.style_s, 0.044, float_s);
  EXPECT_EQ(rates.finish.at(480), 0);
  EXPECT_FALSE(rates.jobs[0].whole);
  EXPECT_THAT(rates.notes,
              ElementsAre(HasSubstr("was not done (interrupted): the 144 frames of its finished chunks")));
  for (io::ChunkRow& row : named.record.chunks) row.encoded_s = 0;
  EXPECT_EQ(refusal({named}),
            "record 'job.h5' measures nothing (no chunk in it was finished; its job's outcome: interrupted). "
            "Record a "
            "run that styles some chunks.");
}

TEST(MeasuredRates, OneFrameIsEnough) {
  const MeasuredRates rates = measure_rates({ideal_record({.layout = {1, 1}, .num_frames = 1})});
  EXPECT_NEAR(rates.encode_s, 0.028, float_s);  // what is the chunk's and what the frame's is not known
  EXPECT_EQ(rates.chunk_overhead_s, 0);
  EXPECT_EQ(rates.jobs[0].num_frames, 1);
}

TEST(MeasuredRates, AnOldRecordIsGuessedAt) {
  NamedRecord named = ideal_record({});
  std::erase_if(named.record.job, [](const auto& entry) {
    return entry.first == "input.frame_bytes" || entry.first == "chunk_frames" ||
           entry.first == "decode_threads";
  });
  const MeasuredRates rates = measure_rates({named});
  EXPECT_EQ(rates.frame_bytes, 640U * 360 * 3 / 2);
  EXPECT_EQ(rates.jobs[0].chunk_frames, 48);
  EXPECT_EQ(rates.num_cores, 1);
  EXPECT_THAT(rates.notes, ElementsAre(HasSubstr("does not say how large a frame is")));
}

TEST(MeasuredRates, NothingIsNoMeasurement) {
  EXPECT_EQ(refusal({}), "no record is given (a prediction needs a measured job).");
  EXPECT_THAT(refusal({{"empty.h5", {}}}),
              HasSubstr("'empty.h5' measures nothing (no chunk in it was finished)"));
}

TEST(MeasuredRates, OtherWorkIsRefused) {
  NamedRecord other = ideal_record({}, "other.h5");
  other.record.job[1].second = "feedforward";
  EXPECT_EQ(refusal({ideal_record({}), other}),
            "records 'job.h5' and 'other.h5' are of different kinds of jobs (setting.engine: adaptive and "
            "feedforward). Give records of the same work on different layouts.");
}

TEST(JobModel, DividesTheCoresOfAMachine) {
  const MeasuredRates cpu = measure_rates({ideal_record({.gpu = false})});  // 4 cores
  const auto model = [&](const Layout& layout, bool encode_at_workers) {
    return job_model(
        cpu, {.layout = layout, .num_frames = 10, .chunk_frames = 5, .encode_at_workers = encode_at_workers});
  };
  EXPECT_EQ(model({1, 1}, false).threads_per_worker, 4);
  EXPECT_EQ(model({3, 2}, false).threads_per_worker, 2);
  EXPECT_EQ(model({1, 4}, false).threads_per_worker, 1);
  EXPECT_NEAR(model({1, 4}, false).style_s, 0.044, float_s);
  EXPECT_EQ(model({1, 8}, false).threads_per_worker, 1);
  EXPECT_NEAR(model({1, 8}, false).style_s, 0.088, float_s);  // eight threads on four cores
  EXPECT_EQ(model({1, 4}, false).num_encoders, 2);            // the root has all cores
  EXPECT_EQ(model({1, 4}, true).num_encoders, 1);
  EXPECT_EQ(model({1, 1}, true).num_encoders, 2);
  EXPECT_EQ(model({3, 2}, false).num_local_workers, 2);
  EXPECT_EQ(model({3, 2}, false).worker_ready_s.size(), 6U);
}

TEST(JobModel, GivesEachWorkerItsGpu) {
  const MeasuredRates gpu = measure_rates({ideal_record({})});
  const JobModel model =
      job_model(gpu, {.layout = {1, 8}, .num_frames = 10, .chunk_frames = 5, .network_bytes_per_s = 345.6e6});
  EXPECT_EQ(model.threads_per_worker, 1);
  EXPECT_NEAR(model.style_s, 0.044, float_s);
  EXPECT_NEAR(model.network_s, 0.001, 1e-12);
}

}  // namespace
}  // namespace atelier::planning
