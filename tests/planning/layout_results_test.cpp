#include "atelier/planning/layout_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::planning {
namespace {

using testing::HasSubstr;

io::RankRow worker_on(const std::string& host) {
  io::RankRow row;
  row.role = "worker";
  row.host = host;
  return row;
}

// Two chunks of two frames on one worker: dealt at 1 s, all is done at 11 s.
io::JobRecord record() {
  io::JobRecord record;
  record.job = {{"chunk_frames", "2"}};
  record.startup_s = 1;
  record.wall_s = 11;
  io::RankRow root;
  root.role = "root";
  root.host = "a";
  root.message_cpu_s = 0.5;
  root.bytes_sent = 100;
  root.bytes_received = 50;
  root.bytes_between_machines = 30;
  record.ranks = {root, worker_on("b")};
  record.ranks[1].device = "GPU, \"small\"";
  record.chunks.resize(2);
  record.chunks[0].encoded_s = 6;
  record.chunks[1].encoded_s = 11;
  for (int i = 0; i < 4; ++i) {
    io::FrameRow row;
    row.chunk_index = i / 2;
    row.done_s = 3 + 2.0 * i;
    row.style_s = 2;
    record.frames.push_back(row);
  }
  return record;
}

TEST(LayoutResults, NumbersOfAJob) {
  const LayoutRun run = measure_run(record(), {{1, 1}, Scaling::strong, 2}, 12.5, nullptr);
  EXPECT_EQ(run.num_frames, 4);
  EXPECT_DOUBLE_EQ(run.frames_per_s, 0.4);
  EXPECT_DOUBLE_EQ(run.startup_s, 2.5);
  EXPECT_EQ(run.bytes_moved, 150);
  EXPECT_EQ(run.bytes_between_machines, 30);
  EXPECT_DOUBLE_EQ(run.root_cpu_ms_per_frame, 125);
  EXPECT_FALSE(run.cost_per_1000_frames);
  EXPECT_EQ(run.device, "GPU, \"small\"");
}

// Frames wait for the end of their chunk 3, 1, 4 and 2 s, and are being styled 2 s each, of which half
// counts; the work takes 10 s.
TEST(LayoutResults, WhatAKillLoses) {
  EXPECT_DOUBLE_EQ(frames_lost_per_kill(record()), (3 + 1 + 4 + 2 + 4 * 1) / 10.0);
}

TEST(LayoutResults, AJobWithoutFramesIsNamed) {
  io::JobRecord empty;
  empty.wall_s = 1;
  EXPECT_THROW(measure_run(empty, {{2, 4}, Scaling::strong, 2}, 2, nullptr), UsageError);
}

TEST(LayoutResults, CostIsOfTheWholeTime) {
  const Prices prices =
      parse_prices("currency = EUR\nbilling_step_s = 60\n[machine.1]\nprice_per_h = 36\n", "test");
  // 12.5 s are billed as 60 s: 0.6 for 4 frames on one machine.
  const LayoutRun run = measure_run(record(), {{1, 1}, Scaling::strong, 2}, 12.5, &prices);
  EXPECT_NEAR(*run.cost_per_1000_frames, 0.6 / 4 * 1000, 1e-9);
  EXPECT_THROW(measure_run(record(), {{1, 4}, Scaling::strong, 2}, 12.5, &prices), UsageError);
}

TEST(LayoutResults, WorkersElsewhereAreNoticed) {
  io::JobRecord job = record();
  EXPECT_EQ(placement_problem(job, {1, 1}), "");
  EXPECT_THAT(placement_problem(job, {2, 1}), HasSubstr("1 on b"));
  job.ranks.push_back(worker_on("a"));
  EXPECT_EQ(placement_problem(job, {2, 1}), "");
  EXPECT_NE(placement_problem(job, {1, 2}), "");
}

LayoutRun run_of(int machines, int gpus, double frames_per_s, std::int64_t chunk_frames = 48,
                 Scaling scaling = Scaling::strong) {
  LayoutRun run{.settings = {{machines, gpus}, scaling, chunk_frames}};
  run.num_frames = 100;
  run.frames_per_s = frames_per_s;
  return run;
}

TEST(LayoutResults, EfficiencyIsAgainstTheSmallestLayoutOfItsKind) {
  const auto summaries =
      summarise({run_of(1, 4, 36), run_of(1, 1, 10), run_of(2, 2, 30), run_of(1, 1, 20, 12),
                 run_of(1, 2, 30, 12), run_of(1, 2, 8, 48, Scaling::weak)});
  ASSERT_EQ(summaries.size(), 6U);
  EXPECT_DOUBLE_EQ(summaries[0].efficiency, 0.9);
  EXPECT_DOUBLE_EQ(summaries[1].efficiency, 1);
  EXPECT_DOUBLE_EQ(summaries[2].efficiency, 0.75);
  EXPECT_DOUBLE_EQ(summaries[4].efficiency, 0.75);
  EXPECT_DOUBLE_EQ(summaries[5].efficiency, 1);
}

TEST(LayoutResults, RepeatsGiveTheirMedian) {
  const auto summaries = summarise({run_of(1, 1, 10), run_of(1, 1, 30), run_of(1, 1, 11)});
  ASSERT_EQ(summaries.size(), 1U);
  EXPECT_EQ(summaries[0].num_runs, 3);
  EXPECT_DOUBLE_EQ(summaries[0].median.frames_per_s, 11);
  EXPECT_DOUBLE_EQ(summaries[0].min_frames_per_s, 10);
  EXPECT_DOUBLE_EQ(summaries[0].max_frames_per_s, 30);
}

TEST(LayoutResults, TablesHaveALineForEach) {
  LayoutRun priced = run_of(1, 2, 20);
  priced.cost_per_1000_frames = 0.25;
  priced.device = "GPU, \"small\"";
  const LayoutContext context{
      .program = "atelier", .command = "c", .utc = "u", .launcher = "mpirun", .currency = "EUR"};
  const std::string csv = layouts_csv({run_of(1, 1, 10), priced}, context);
  const std::vector<std::string> lines = split(csv, '\n');
  ASSERT_GE(lines.size(), 3U);
  EXPECT_THAT(lines[1], testing::StartsWith("strong,1x1,1,1,1,48,1,100,"));
  EXPECT_THAT(lines[2], HasSubstr(",0.250000,EUR,mpirun,\"GPU, \"\"small\"\"\","));
  const std::string table = layouts_markdown(summarise({run_of(1, 1, 10), priced}), context);
  EXPECT_THAT(table, HasSubstr("EUR for 1000 frames"));
  EXPECT_THAT(table, HasSubstr("| strong | 1x2 | 2 | 48 | 100 | 20.0 | 1.000 |"));
  EXPECT_THAT(layouts_markdown(summarise({run_of(1, 1, 10)}), context), testing::Not(HasSubstr("EUR")));
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t number = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++number;
  return number;
}

// tests/system/layouts_test.py parses such a file as XML.
TEST(LayoutResults, PlotsShowEveryPoint) {
  const std::string two = layouts_svg(summarise({run_of(1, 1, 10), run_of(1, 2, 18), run_of(2, 2, 30)}));
  EXPECT_EQ(count(two, "<g "), 2U);
  EXPECT_EQ(count(two, "<circle"), 6U);
  EXPECT_THAT(two, HasSubstr(">2x2<"));
  EXPECT_THAT(two, HasSubstr(">ideal<"));
  EXPECT_THAT(two, testing::Not(HasSubstr("nan")));
  EXPECT_THAT(two, testing::Not(HasSubstr("inf")));
  const std::string four = layouts_svg(
      summarise({run_of(1, 1, 10, 12), run_of(1, 1, 11, 48), run_of(1, 2, 20, 12), run_of(1, 2, 19, 48)}));
  EXPECT_EQ(count(four, "<g "), 4U);
  EXPECT_EQ(count(four, "<circle"), 4U + 4U + 2U + 2U);
  const std::string lengths = layouts_svg(summarise({run_of(1, 2, 20, 12), run_of(1, 2, 19, 48)}));
  EXPECT_EQ(count(lengths, "<g "), 2U) << "one layout shows nothing of scaling";
  EXPECT_THAT(layouts_svg(summarise({run_of(1, 1, 10)})), testing::Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace atelier::planning
