#include "atelier/planning/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atelier/base/error.h"
#include "measured_jobs.h"

namespace atelier::planning {
namespace {

using testing::HasSubstr;
using testing::Not;

const Prices& prices() {
  static const Prices all = parse_prices(
      "currency = EUR\ncold_start_s = 100\n[machine.1]\nprice_per_h = 3.6\n[machine.4]\nprice_per_h = 18\n"
      "spot_price_per_h = 7.2\nspot_evictions_per_h = 3.6\nwarm_price_per_h = 9\n",
      "prices.cfg");
  return all;
}

// 1000 s of styling, and of messages as many as the size of frames makes.
MeasuredRates styling_only() {
  return measure_rates({ideal_record({.layout = {1, 1},
                                      .num_frames = 10'000,
                                      .chunk_frames = 10,
                                      .startup_s = 0,
                                      .finish_s = 0,
                                      .decode_s = 0,
                                      .convert_s = 0,
                                      .style_s = 0.1F,
                                      .encode_s = 0,
                                      .first_encode_s = 0})});
}

Plan plan_of(const std::string& layouts, PlanRequest request = {},
             const MeasuredRates& rates = styling_only()) {
  request.layouts = parse_layouts(layouts);
  return make_plan(rates, prices(), request);
}

// The record's own layout, from its own rates: exact but for the frames on their way at the start and the
// end.
TEST(Plan, PredictsTheRecordsOwnLayout) {
  for (const bool encode_at_workers : {false, true}) {
    NamedRecord named = ideal_record({.encode_at_workers = encode_at_workers});
    const MeasuredRates rates = measure_rates({named});
    const double measured_s = simulate(job_model(rates, {.layout = {1, 2},
                                                         .num_frames = 480,
                                                         .chunk_frames = 48,
                                                         .encode_at_workers = encode_at_workers}))
                                  .wall_s;
    named.record.wall_s = measured_s;
    for (io::ChunkRow& row : named.record.chunks) row.encoded_s = measured_s - 0.5;
    const Plan plan = make_plan(measure_rates({named}), prices(), {.layouts = {{1, 1}}});
    ASSERT_EQ(plan.checks.size(), 1U);
    EXPECT_NEAR(plan.checks[0].predicted_s, measured_s, 1e-6);
    // 10 chunks on two workers, 0.044 s a frame; the last one's encoding and the end.
    EXPECT_NEAR(measured_s, 2 + 0.5 + 480 * 0.044 / 2, 0.5);
  }
}

TEST(Plan, CountsTimeAndMoney) {
  const Plan plan = plan_of("1x1,4x1,1x4");
  ASSERT_EQ(plan.layouts.size(), 3U);
  const LayoutPlan& one = plan.layouts[0];
  EXPECT_NEAR(one.job_s, 1000, 0.1);
  EXPECT_NEAR(one.total_s, 1100, 0.1);
  EXPECT_NEAR(one.frames_per_s, 10, 0.01);
  EXPECT_NEAR(one.cost, 1.1, 0.001);
  EXPECT_NEAR(one.efficiency, 1, 0.001);
  EXPECT_EQ(one.limit, "style");
  EXPECT_FALSE(one.encode_at_workers);
  const LayoutPlan& four_machines = plan.layouts[1];
  EXPECT_NEAR(four_machines.job_s, 250, 1.01);  // a chunk more

  EXPECT_NEAR(four_machines.cost, 1.4, 0.005);
  EXPECT_TRUE(four_machines.encode_at_workers);
  EXPECT_NEAR(plan.layouts[2].cost, 350.0 / 3600 * 18, 0.006);
  EXPECT_EQ(plan.chosen, 0U);
  EXPECT_THAT(
      text_plan(plan),
      HasSubstr("The cheapest layout is 1x1: 1.10 EUR in 18:20. The fastest is 4x1: 5:51 for 1.40 EUR."));
}

TEST(Plan, FindsTheCheapestInTime) {
  EXPECT_EQ(plan_of("1x1,4x1,1x4", {.deadline_s = 1200}).chosen, 0U);
  const Plan plan = plan_of("1x1,4x1,1x4", {.deadline_s = 600});
  EXPECT_EQ(plan.chosen, 1U);
  EXPECT_FALSE(plan.layouts[0].meets_deadline);
  EXPECT_THAT(text_plan(plan),
              HasSubstr("The cheapest layout that meets the deadline of 10:00 is 4x1: 1.40 EUR in 5:51."));
}

TEST(Plan, SaysWhatStandsAgainstTheDeadline) {
  const Plan slow = plan_of("1x1,4x1", {.deadline_s = 200});
  EXPECT_FALSE(slow.deadline_met);
  EXPECT_EQ(slow.chosen, 1U);
  EXPECT_THAT(
      text_plan(slow),
      HasSubstr("No layout meets the deadline of 3:20: the fastest, 4x1, takes 5:51 and waits for style "
                "(100 % of the job)."));
  EXPECT_THAT(text_plan(slow), Not(HasSubstr("No number of workers can")));
  EXPECT_THAT(text_plan(plan_of("1x1,4x1", {.deadline_s = 60})), HasSubstr("The start alone takes longer."));
  MeasuredRates rates = styling_only();
  rates.decode_s = 0.05;
  EXPECT_THAT(text_plan(plan_of("4x1", {.deadline_s = 300}, rates)),
              HasSubstr("waits for decode (100 % of the job). No number of workers can: decode alone takes "
                        "8:20 at the root."));
}

TEST(Plan, NamesWhatAJobWaitsFor) {
  MeasuredRates rates = styling_only();
  const auto limit = [&](const std::string& layout, std::int64_t num_frames) {
    return plan_of(layout, {.num_frames = num_frames}, rates).layouts[0].limit;
  };
  EXPECT_EQ(limit("1x4", 10'000), "style");
  EXPECT_EQ(limit("1x4", 10), "few chunks");
  rates.startup.base_s = 30;
  EXPECT_EQ(limit("1x4", 100), "start and end");
  rates.startup.base_s = 0;
  rates.message_s = 0.09;
  EXPECT_EQ(limit("1x4", 10'000), "messages");
  rates.message_s = 0;
  rates.encode_s = 0.3;
  EXPECT_EQ(limit("1x4", 10'000), "encode");
}

TEST(Plan, DecodesWhereTheRecordedJobsDid) {
  MeasuredRates rates = styling_only();
  rates.decode_s = 0.05;
  EXPECT_EQ(plan_of("1x4", {}, rates).layouts[0].limit, "decode");
  rates.jobs[0].decode_at_workers = true;
  EXPECT_EQ(plan_of("1x4", {}, rates).layouts[0].limit, "decode");  // one worker alone does not tell
  rates.jobs[0].layout = {1, 2};
  EXPECT_EQ(plan_of("1x4", {}, rates).layouts[0].limit, "style");
  EXPECT_EQ(plan_of("1x4", {}, rates).checks.size(), 1U);
}

TEST(Plan, LongJobsGoOnAsTheyBegan) {
  MeasuredRates rates = styling_only();
  rates.startup.base_s = 7;
  rates.finish.base_s = 3;
  const LayoutPlan plan = plan_of("1x4", {.num_frames = 123'456'789}, rates).layouts[0];
  EXPECT_NEAR(plan.job_s, 10 + 123'456'789 * 0.1 / 4, 2);
  EXPECT_NEAR(plan.efficiency, 1, 1e-4);
  EXPECT_EQ(plan.limit, "style");
}

TEST(Plan, WeighsChunkLengthAgainstEvictions) {
  MeasuredRates rates = styling_only();
  rates.chunk_overhead_s = 0.05;
  const Plan calm = plan_of("1x4", {.evictions_per_h = 0}, rates);
  EXPECT_FALSE(calm.on_spot);
  const Plan plan = plan_of("1x4", {}, rates);
  EXPECT_TRUE(plan.on_spot);
  EXPECT_EQ(plan.evictions_per_h, 3.6);
  EXPECT_EQ(plan.restart_s, 100);
  std::int64_t previous = 0;
  for (const ChunkPlan& row : plan.chunk_lengths) {
    EXPECT_GT(row.chunk_frames, previous);
    previous = row.chunk_frames;
    ASSERT_TRUE(row.cost);
    // Four workers lose half of a chunk each, and what has been styled of no more than another.
    const double chunk_s = 0.1 * static_cast<double>(row.chunk_frames);
    EXPECT_GT(row.lost_s, 0.3 * chunk_s);
    EXPECT_LT(row.lost_s, 1.5 * chunk_s);
    // 0.001 evictions a second, each of 100 s and what is lost.
    EXPECT_NEAR(row.expected_s, 100 + row.job_s / (1 - 0.001 * (100 + row.lost_s)), 1e-6);
    EXPECT_NEAR(*row.cost, row.expected_s / 3600 * 7.2, 1e-6);
    EXPECT_GE(*row.cost, 0.999 * *plan.chunk_lengths[plan.best_chunk_length].cost);
  }
  const Plan stormy = plan_of("1x4", {.evictions_per_h = 20}, rates);
  EXPECT_LE(stormy.chunk_lengths[stormy.best_chunk_length].chunk_frames,
            calm.chunk_lengths[calm.best_chunk_length].chunk_frames);
  EXPECT_THAT(text_plan(plan_of("1x4", {.evictions_per_h = 40}, rates)),
              HasSubstr("the job would never end"));
}

TEST(Plan, FindsTheGapAtWhichWaitingCostsAsMuch) {
  // 100 s at 18 an hour buy 200 s of waiting at 9.
  EXPECT_THAT(text_plan(plan_of("1x4")),
              HasSubstr("Keep the machines of 1x4 warm if the next job comes within 3:20, else let them go. "
                        "A warm start saves "
                        "100.0 s and 0.5000 EUR; waiting costs 9.00 EUR an hour."));
  EXPECT_THAT(text_plan(plan_of("4x1")), HasSubstr("within 100.0 s,"));
  Prices free = prices();
  free.machines.at(4).warm_price_per_h = 0;
  EXPECT_THAT(text_plan(make_plan(styling_only(), free, {.layouts = {{1, 4}}})),
              HasSubstr("idle machines cost nothing: keep them"));
  free.cold_start_s = 0;
  EXPECT_THAT(text_plan(make_plan(styling_only(), free, {.layouts = {{1, 4}}})),
              HasSubstr("none need be kept"));
}

TEST(Plan, RefusesALayoutWithoutAPrice) {
  EXPECT_THROW(plan_of("1x1,1x2"), UsageError);
  EXPECT_THROW(make_plan(styling_only(), prices(), {}), UsageError);
}

TEST(Plan, CsvHasALineALayout) {
  const std::vector<std::string> lines = split(csv_plan(plan_of("1x1,1x4", {.deadline_s = 600})), '\n');
  ASSERT_EQ(lines.size(), 4U);
  const auto header = split(lines[0], ',');
  for (const std::size_t i : {1U, 2U}) EXPECT_EQ(split(lines[i], ',').size(), header.size()) << lines[i];
  EXPECT_EQ(lines[0].substr(0, 46), "layout,machines,gpus_per_machine,encode,frames");
  EXPECT_EQ(lines[1].substr(0, 21), "1x1,1,1,root,10000,10");
  EXPECT_EQ(split(lines[1], ',')[16], "no");
  EXPECT_EQ(split(lines[2], ',')[16], "yes");
}

TEST(Plan, TextFitsAHundredColumns) {
  const std::string text =
      text_plan(plan_of("1x1,4x1,1x4", {.num_frames = 9'999'999, .deadline_s = 100'000}));
  int num_rows = 0;
  for (const std::string& line : split(text, '\n')) {
    if (!line.starts_with("  ") && !line.starts_with("layout") && !line.ends_with(" met")) continue;
    EXPECT_LE(line.size(), 100U) << line;
    ++num_rows;
  }
  EXPECT_GT(num_rows, 8);
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  EXPECT_THAT(text, Not(HasSubstr("inf")));
}

}  // namespace
}  // namespace atelier::planning
