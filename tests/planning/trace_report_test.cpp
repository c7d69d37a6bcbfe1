#include "atelier/planning/trace_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "records.h"

namespace atelier::planning {
namespace {

using nlohmann::json;

json trace_of(const std::vector<NamedRecord>& records) {
  const TemporaryFolder folder;
  write_trace(folder.path() / "trace.json", records);
  const Buffer bytes = read_file(folder.path() / "trace.json");
  const json trace = json::parse(bytes.bytes().begin(), bytes.bytes().end(), nullptr, false);
  EXPECT_TRUE(trace.is_object());
  return trace.value("traceEvents", json::array());
}

std::map<std::string, int> count_of(const json& events, const char* member) {
  std::map<std::string, int> counts;
  for (const json& event : events) {
    if (event.contains(member)) ++counts[event[member].get<std::string>()];
  }
  return counts;
}

/// Slices of a thread come one after another, within a microsecond.
void expect_no_overlap(const json& events) {
  std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> threads;
  for (const json& event : events) {
    if (event["ph"] == "X") threads[{event["pid"], event["tid"]}].emplace_back(event["ts"], event["dur"]);
  }
  for (auto& [thread, slices] : threads) {
    std::ranges::sort(slices);
    for (std::size_t i = 1; i < slices.size(); ++i) {
      EXPECT_GE(slices[i - 1].second, 0);
      EXPECT_LE(slices[i - 1].first + slices[i - 1].second, slices[i].first + 1) << thread.second;
    }
  }
}

TEST(Trace, HasASliceForEverything) {
  io::JobRecord record = planned_record(100, 4);
  record.events = {{1.5, 2, "retry", "text \"with\" quotes, a \\ and \xff"}};
  const json events = trace_of({{"job.h5", record}});
  std::map<std::string, int> stages;
  for (const json& event : events) {
    if (event["ph"] == "X" && event["args"].contains("stage"))
      ++stages[event["args"]["stage"].get<std::string>()];
  }
  EXPECT_EQ(stages["decode"], 100);
  EXPECT_EQ(stages["style"], 100);
  EXPECT_EQ(stages["encode"], 100 + 10);  // frames, and a flush for each chunk
  std::map<std::string, int> phases = count_of(events, "ph");
  EXPECT_EQ(phases["X"], 310 + 10);  // and a slice for each chunk
  EXPECT_EQ(phases["b"], 200);       // to the worker and back
  EXPECT_EQ(phases["e"], 200);
  EXPECT_EQ(phases["i"], 1);
  EXPECT_EQ(phases["C"], 101 + 20);
  std::map<std::string, int> names = count_of(events, "name");
  EXPECT_EQ(names["process_name"], 2);  // machines
  EXPECT_EQ(names["frame 7"], 3);
  expect_no_overlap(events);
  const auto style = std::ranges::find_if(
      events, [](const json& e) { return e["name"] == "frame 0" && e["args"]["stage"] == "style"; });
  ASSERT_NE(style, events.end());
  EXPECT_NEAR((*style)["ts"].get<double>(), 1e6, 1);
  EXPECT_NEAR((*style)["dur"].get<double>(), 1e5, 1);
}

TEST(Trace, PutsWhatOverlapsSideBySide) {
  io::JobRecord record = planned_record(40, 1);
  for (std::size_t i = 1; i < record.frames.size(); i += 2)
    record.frames[i].style_begin_s = record.frames[i - 1].style_begin_s + 0.01;
  for (std::size_t i = 2; i < record.frames.size(); i += 2)
    record.frames[i].style_begin_s -= 0.001;  // a corrected clock
  const json events = trace_of({{"job.h5", record}});
  expect_no_overlap(events);
  int num_style_threads = 0;
  for (const json& event : events) {
    if (event["name"] == "thread_name" &&
        event["args"]["name"].get<std::string>().find("style") != std::string::npos)
      ++num_style_threads;
  }
  EXPECT_EQ(num_style_threads, 2);
}

TEST(Trace, ManagesRecordsWithLittleInThem) {
  EXPECT_FALSE(trace_of({{"empty.h5", {}}}).empty());
  io::JobRecord interrupted = planned_record(30, 2);
  interrupted.chunks.back().styled_s = interrupted.chunks.back().encoded_s = 0;
  interrupted.ranks.clear();
  expect_no_overlap(trace_of({{"a.h5", interrupted}}));
}

TEST(Trace, KeepsSeveralJobsApart) {
  const json events = trace_of({{"a.h5", planned_record(30, 2)}, {"b.h5", planned_record(30, 4)}});
  std::map<int, std::string> processes;
  for (const json& event : events) {
    if (event["name"] == "process_name") processes[event["pid"]] = event["args"]["name"];
  }
  EXPECT_EQ(processes, (std::map<int, std::string>{{1, "a.h5: m0"}, {2, "b.h5: m0"}, {3, "b.h5: m1"}}));
  expect_no_overlap(events);
}

TEST(Trace, StaysValidWhenHuge) {
  const json events = trace_of({{"job.h5", planned_record(10'000, 64, true)}});
  EXPECT_GT(events.size(), 50'000U);
  EXPECT_LT(count_of(events, "ph")["C"], 6'100);  // counters are thinned
}

TEST(Trace, SaysWhereItCannotBeWritten) {
  EXPECT_THROW(write_trace("/no/such/folder/trace.json", {{"a.h5", {}}}), JobError);
  EXPECT_THROW(write_trace("/dev/full", {{"a.h5", planned_record(10, 1)}}), JobError);
}

}  // namespace
}  // namespace atelier::planning
