#include "atelier/planning/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atelier/base/handle.h"
#include "atelier/base/text.h"

namespace atelier::planning {
namespace {

using testing::HasSubstr;
using testing::Not;

/// 100 frames on two workers; every time is chosen so that the report's numbers are known by hand.
io::JobRecord example() {
  io::JobRecord record;
  record.job = {{"outcome", "done"},          {"input.path", "in.mkv"},    {"setting.output", "out.mkv"},
                {"program_version", "0.1.0"}, {"git_sha", "0123456789ab"}, {"launcher", "mpirun"}};
  record.wall_s = 12.5;
  record.startup_s = 2.5;
  record.start_time_s = 1767225600;  // 2026-01-01T00:00:00Z
  record.ranks = {{0, "root", "host-a", "", 2, 0, 12.5, 0, 0, 0},
                  {1, "worker", "host-a", "CPU", 1, 2.5, 12.5, 8, 60, std::int64_t{3} << 29},
                  {2, "worker", "host-b", "CPU", 1, 2.5, 12.5, 5, 40, 0}};
  record.chunks.resize(3);
  for (int i = 0; i < 100; ++i) {
    // Style takes 0.100 s, but for the last ten frames: 0.300 s. Mean 0.120 s.
    record.frames.push_back({i, 1000 + i * 40, i / 48, i < 60 ? 1 : 2, 2.5 + 0.1 * (i + 1), 0.008F, 0, 0.02F,
                             i < 90 ? 0.1F : 0.3F, 0.016F});
  }
  record.events = {{1.25, 0, "warning", "MP4 cannot hold stream 3"}};
  return record;
}

std::vector<std::string> fields_of_line(const std::string& text, const std::string& start) {
  for (const std::string& line : split(text, '\n')) {
    if (!line.starts_with(start)) continue;
    std::vector<std::string> fields;
    for (const std::string& field : split(line, ' ')) {
      if (!field.empty()) fields.push_back(field);
    }
    return fields;
  }
  return {};
}

TEST(TextReport, TellsTheSpeed) {
  const std::string report = text_report(example());
  EXPECT_THAT(report, HasSubstr("100 in 3 chunks"));
  EXPECT_THAT(report, HasSubstr("12.50 s, of it 2.50 s until"));
  EXPECT_THAT(report, HasSubstr("8.00 frames/s, 125.0 ms a frame (10.00 frames/s without the start)"));
  EXPECT_THAT(report, HasSubstr("2026-01-01T00:00:00Z"));
}

TEST(TextReport, TellsEachStage) {
  using testing::ElementsAre;
  const std::string report = text_report(example());
  // mean, median, 95 %, longest in ms; total s; threads; frames/s at most. As printed: to 0.01.
  EXPECT_THAT(fields_of_line(report, "decode"),
              ElementsAre("decode", "8.00", "8.00", "8.00", "8.00", "0.80", "1", "125.00"));
  EXPECT_THAT(fields_of_line(report, "transfer"),
              ElementsAre("transfer", "0.00", "0.00", "0.00", "0.00", "0.00", "2", "-"));
  EXPECT_THAT(fields_of_line(report, "style"),
              ElementsAre("style", "120.00", "100.00", "300.00", "300.00", "12.00", "2", "16.67"));
  EXPECT_THAT(fields_of_line(report, "encode"),
              ElementsAre("encode", "16.00", "16.00", "16.00", "16.00", "1.60", "1", "62.50"));
  EXPECT_THAT(fields_of_line(report, "all stages"),
              ElementsAre("all", "stages", "164.00", "144.00", "344.00", "344.00", "16.40"));
  EXPECT_THAT(report, HasSubstr("Slowest stage: style (120.0 ms a frame; at most 16.67 frames/s). "
                                "The job reached 48 % of that."));
}

TEST(TextReport, CountsTheThreadsOfTheRoot) {
  io::JobRecord record = example();
  record.ranks[0].num_encoders = 4;
  for (io::FrameRow& row : record.frames) row.decode_s = 0.07F;
  const std::string report = text_report(record);
  EXPECT_THAT(fields_of_line(report, "encode").back(), "250.00");
  EXPECT_THAT(report, HasSubstr("Slowest stage: decode (70.0 ms"));
}

TEST(TextReport, TellsHowMuchWorkersDecode) {
  io::JobRecord record = example();
  EXPECT_THAT(text_report(record), Not(HasSubstr("decoding")));
  record.job.emplace_back("decode_at", "workers");
  record.job.emplace_back("decode.frames_decoded_by_workers", "125");
  record.job.emplace_back("decode.frames_used_of_workers", "100");
  const std::string text = text_report(record);
  EXPECT_THAT(text, HasSubstr("decoding    at the workers, 1.25 frames for each one"));
  EXPECT_EQ(fields_of_line(text, "decode ")[6], "2") << "a decoder at each worker";
}

TEST(TextReport, TellsEachRank) {
  using testing::ElementsAre;
  const std::string report = text_report(example());
  // frames, frames/s, ms/image, threads, busy s, use, memory
  EXPECT_THAT(fields_of_line(report, "    0"),
              ElementsAre("0", "root", "0", "-", "-", "2", "0.00", "-", "-", "host-a"));
  EXPECT_THAT(fields_of_line(report, "    1"), ElementsAre("1", "worker", "60", "6.00", "120.0", "1", "8.00",
                                                           "80", "%", "1.5", "GiB", "host-a,", "CPU"));
  EXPECT_THAT(fields_of_line(report, "    2"), ElementsAre("2", "worker", "40", "4.00", "170.0", "1", "5.00",
                                                           "50", "%", "-", "host-b,", "CPU"));
}

TEST(TextReport, TellsEventsLast) {
  const std::string report = text_report(example());
  EXPECT_THAT(report, testing::EndsWith("1.25 s  rank 0   warning   MP4 cannot hold stream 3\n"));
}

TEST(TextReport, FitsAHundredColumns) {
  for (const std::string& line : split(text_report(example()), '\n')) EXPECT_LE(line.size(), 100U) << line;
}

TEST(TextReport, ManagesAFailedJob) {
  io::JobRecord record = example();
  record.job[0].second = "failed";
  record.job.emplace_back("error", "the disk is full");
  for (std::size_t i = 30; i < record.frames.size(); ++i) record.frames[i].done_s = 0;
  const std::string report = text_report(record);
  EXPECT_THAT(report, HasSubstr("error       the disk is full"));
  EXPECT_THAT(report, HasSubstr("30 styled of 100 read"));
}

TEST(TextReport, ManagesAnEmptyRecord) {
  const std::string report = text_report({});
  EXPECT_THAT(report, HasSubstr("0 in 0 chunks"));
  EXPECT_THAT(report, Not(HasSubstr("nan")));
  EXPECT_THAT(report, Not(HasSubstr("inf")));
}

std::vector<std::string> csv_lines(const std::vector<NamedRecord>& records) {
  const TemporaryFolder folder;
  write_csv(folder.path() / "frames.csv", records);
  const Buffer bytes = read_file(folder.path() / "frames.csv");
  return split({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, '\n');
}

TEST(CsvReport, HasALineAFrame) {
  const std::vector<std::string> lines = csv_lines({{"job.h5", example()}});
  ASSERT_EQ(lines.size(), 102U);  // header, 100 frames, the end of the last line
  EXPECT_EQ(lines[0],
            "frame_index,pts_ticks,chunk_index,rank,done_s,decode_s,transfer_s,convert_s,style_s,encode_s");
  EXPECT_EQ(lines[1], "0,1000,0,1,2.600000,0.008000,0.000000,0.020000,0.100000,0.016000");
  EXPECT_EQ(lines[100], "99,4960,2,2,12.500000,0.008000,0.000000,0.020000,0.300000,0.016000");
  EXPECT_EQ(lines[101], "");
}

TEST(CsvReport, OfSeveralBeginsWithTheRecord) {
  const std::vector<std::string> lines = csv_lines({{"a.h5", example()}, {"b, \"2\".h5", example()}});
  ASSERT_EQ(lines.size(), 202U);
  EXPECT_THAT(lines[0], testing::StartsWith("record,frame_index,"));
  EXPECT_THAT(lines[1], testing::StartsWith("a.h5,0,1000,"));
  EXPECT_THAT(lines[101], testing::StartsWith("\"b, \"\"2\"\".h5\",0,1000,"));
}

}  // namespace
}  // namespace atelier::planning
