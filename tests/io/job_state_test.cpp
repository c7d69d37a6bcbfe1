#include "atelier/io/job_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/io/state_store.h"
#include "io/faulty_files.h"
#include "sealed_json.h"

namespace atelier::io {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

JobState example() {
  JobState state;
  state.program_version = "0.1.0 (git 0123456789ab)";
  state.start_id = "start1";
  state.host = "machine-7";
  state.pid = 4711;
  state.launcher = "slurm 12";
  state.fingerprint.add("input size", "123456");
  state.fingerprint.add("--crf", "18");
  state.output = "/videos/Schüler \"1\".mkv";
  state.status = JobStatus::interrupted;
  state.exit_code = 75;
  state.message = "interrupted by USR1";
  state.chunks_done = 3;
  state.frames_done = 144;
  state.frames_total = 1000;
  state.keeps_work = true;
  state.started = "2026-01-31T12:34:56Z";
  state.updated = "2026-01-31T12:35:56Z";
  state.sequence = 9;
  return state;
}

std::string text_of(const Buffer& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// example() with a change to its JSON, sealed as if we had written it.
Buffer changed(const std::function<void(nlohmann::ordered_json&)>& change) {
  auto json = nlohmann::ordered_json::parse(text_of(serialise_state(example())));
  json.erase("xxh3");
  change(json);
  return seal_json(json);
}

TEST(JobState, gives_back_every_member) {
  const JobState wanted = example();
  const ParsedState parsed = parse_state(serialise_state(wanted).bytes());
  ASSERT_TRUE(parsed.state) << parsed.problem;
  const JobState& got = *parsed.state;
  EXPECT_EQ(got.program_version, wanted.program_version);
  EXPECT_EQ(got.start_id, wanted.start_id);
  EXPECT_EQ(got.host, wanted.host);
  EXPECT_EQ(got.pid, wanted.pid);
  EXPECT_EQ(got.launcher, wanted.launcher);
  EXPECT_EQ(got.fingerprint, wanted.fingerprint);
  EXPECT_EQ(got.output, wanted.output);
  EXPECT_EQ(got.status, wanted.status);
  EXPECT_EQ(got.exit_code, wanted.exit_code);
  EXPECT_EQ(got.message, wanted.message);
  EXPECT_EQ(got.chunks_done, wanted.chunks_done);
  EXPECT_EQ(got.frames_done, wanted.frames_done);
  EXPECT_EQ(got.frames_total, wanted.frames_total);
  EXPECT_EQ(got.keeps_work, wanted.keeps_work);
  EXPECT_EQ(got.started, wanted.started);
  EXPECT_EQ(got.updated, wanted.updated);
  EXPECT_EQ(got.sequence, wanted.sequence);
}

TEST(JobState, unknown_numbers_are_null) {
  JobState wanted = example();
  wanted.status = JobStatus::running;
  wanted.exit_code.reset();
  wanted.frames_total.reset();
  const ParsedState parsed = parse_state(serialise_state(wanted).bytes());
  ASSERT_TRUE(parsed.state) << parsed.problem;
  EXPECT_FALSE(parsed.state->exit_code);
  EXPECT_FALSE(parsed.state->frames_total);
}

TEST(JobState, is_json_that_any_reader_takes) {
  const auto json = nlohmann::json::parse(text_of(serialise_state(example())));
  EXPECT_EQ(json.at("status"), "interrupted");
  EXPECT_EQ(json.at("exit_code"), 75);
  EXPECT_EQ(json.at("settings").at("--crf"), "18");
}

TEST(JobState, name_that_is_not_utf8_does_no_harm) {
  JobState wanted = example();
  wanted.output = "/videos/caf\xe9.mkv";
  const ParsedState parsed = parse_state(serialise_state(wanted).bytes());
  ASSERT_TRUE(parsed.state) << parsed.problem;
  EXPECT_EQ(parsed.state->output, "/videos/caf\xef\xbf\xbd.mkv");
}

TEST(JobState, cut_anywhere_is_refused) {
  const Buffer file = serialise_state(example());
  for (std::size_t size = 0; size < file.size(); ++size) {
    const ParsedState parsed = parse_state(file.bytes().first(size));
    EXPECT_FALSE(parsed.state) << size;
    EXPECT_FALSE(parsed.problem.empty()) << size;
  }
}

TEST(JobState, each_flipped_bit_is_noticed) {
  Buffer file = serialise_state(example());
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      file.data()[i] ^= static_cast<std::byte>(1 << bit);
      EXPECT_FALSE(parse_state(file.bytes()).state) << "byte " << i << " bit " << bit;
      file.data()[i] ^= static_cast<std::byte>(1 << bit);
    }
  }
}

TEST(JobState, other_version_is_named) {
  EXPECT_THAT(parse_state(changed([](auto& j) { j["format_version"] = 7; }).bytes()).problem,
              HasSubstr("its format has version 7, this program reads 1"));
}

// Whole files with a right hash, but members that are something else: a reason, no exception.
TEST(JobState, members_of_another_kind_are_refused) {
  const auto names = [] {
    std::vector<std::string> all;
    const auto json = nlohmann::ordered_json::parse(text_of(changed([](auto&) {})));
    for (const auto& [name, value] : json.items())
      if (name != "xxh3") all.push_back(name);
    return all;
  }();
  ASSERT_EQ(names.size(), 20U);
  for (const std::string& name : names) {
    EXPECT_FALSE(parse_state(changed([&](auto& j) { j.erase(name); }).bytes()).state) << name;
    for (const nlohmann::ordered_json& value :
         {nlohmann::ordered_json(1e300), nlohmann::ordered_json(-1),
          nlohmann::ordered_json(~std::uint64_t{0}), nlohmann::ordered_json::array(),
          nlohmann::ordered_json(true)}) {
      if (name == "keeps_work" && value.is_boolean()) continue;
      const ParsedState parsed = parse_state(changed([&](auto& j) { j[name] = value; }).bytes());
      EXPECT_FALSE(parsed.state) << name << " " << value;
      EXPECT_FALSE(parsed.problem.empty());
    }
  }
  EXPECT_FALSE(parse_state(changed([](auto& j) { j["status"] = "asleep"; }).bytes()).state);
  EXPECT_FALSE(parse_state(changed([](auto& j) { j["exit_code"] = 256; }).bytes()).state);
  EXPECT_FALSE(parse_state(changed([](auto& j) { j["settings"]["--crf"] = "19"; }).bytes()).state);
  EXPECT_FALSE(parse_state(changed([](auto& j) { j["settings"]["--crf"] = 18; }).bytes()).state);
  EXPECT_FALSE(parse_state(changed([](auto& j) { j["format"] = "atelier owner"; }).bytes()).state);
}

class StateStoreTest : public ::testing::Test {
 protected:
  [[nodiscard]] const fs::path& work_dir() const { return folder_.path(); }
  void put(const std::string& name, const Buffer& bytes) {
    write_file_once(work_dir() / name, bytes.bytes());
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    EXPECT_EQ(system_files().list(work_dir(), names), 0);
    return names;
  }

  TemporaryFolder folder_;
  FaultyFiles files_;
};

TEST_F(StateStoreTest, newest_is_found_by_the_next_start) {
  StateStore first(work_dir(), "start1", files_);
  EXPECT_FALSE(first.found().newest);
  first.write(example());
  JobState last = example();
  last.chunks_done = 4;
  first.write(last);
  EXPECT_THAT(names(), ElementsAre("state-start1-00000002.json", "state.json"));

  StateStore second(work_dir(), "start2", files_);
  ASSERT_TRUE(second.found().newest);
  EXPECT_EQ(second.found().newest->chunks_done, 4);
  EXPECT_EQ(second.found().newest->start_id, "start1");
  EXPECT_NE(second.found().newest->updated, example().updated);
  EXPECT_THAT(second.found().passed_over, IsEmpty());
  second.write(last);
  EXPECT_THAT(names(), ElementsAre("state-start2-00000003.json", "state.json"));
  EXPECT_EQ(find_state(work_dir()).newest->start_id, "start2");
}

// A clock that was set back makes later states look older: the sequence decides.
TEST_F(StateStoreTest, clock_that_was_set_back_changes_nothing) {
  JobState early = example();
  early.sequence = 5;
  early.updated = "2030-01-01T00:00:00Z";
  put("state-start1-00000005.json", serialise_state(early));
  JobState late = example();
  late.sequence = 6;
  late.chunks_done = 77;
  late.updated = "2020-01-01T00:00:00Z";
  put("state-start1-00000006.json", serialise_state(late));
  fs::last_write_time(work_dir() / "state-start1-00000006.json",
                      fs::file_time_type::clock::now() - std::chrono::hours(9));
  put("state.json", serialise_state(early));
  EXPECT_EQ(find_state(work_dir()).newest->chunks_done, 77);
}

TEST_F(StateStoreTest, half_written_ones_are_passed_over) {
  StateStore first(work_dir(), "start1", files_);
  first.write(example());
  const Buffer whole = serialise_state(example());
  write_file_once(work_dir() / "state.json", whole.bytes().first(whole.size() / 2));
  write_file_once(work_dir() / "state-start1-00000002.json", whole.bytes().first(10));
  put("state-start9-00000042.json", whole);
  put("state-notes.json", whole);
  fs::create_directory(work_dir() / "state-start1-00000003.json");
  const FoundState found = find_state(work_dir());
  ASSERT_TRUE(found.newest);
  EXPECT_EQ(found.newest->sequence, 1);
  EXPECT_EQ(found.passed_over.size(), 4U);

  StateStore second(work_dir(), "start2", files_);
  second.write(example());
  EXPECT_EQ(find_state(work_dir()).newest->sequence, 43);
}

TEST_F(StateStoreTest, what_may_pass_is_tried_again_under_a_new_name) {
  StateStore one(work_dir(), "start1", files_);
  files_.write_errors = {EIO, ESTALE, 0, ENOTCONN};
  one.write(example());
  EXPECT_THAT(files_.written, ElementsAre("state-start1-00000001.json", "state-start1-00000002.json",
                                          "state-start1-00000003.json", "state.json", "state.json"));
  const FoundState found = find_state(work_dir());
  EXPECT_EQ(found.newest->sequence, 3);
  EXPECT_THAT(found.passed_over, IsEmpty());
}

TEST_F(StateStoreTest, what_does_not_pass_ends_in_a_sentence) {
  StateStore one(work_dir(), "start1", files_);
  one.write(example());
  files_.write_errors = {EDQUOT, EDQUOT, EDQUOT, EDQUOT};
  EXPECT_THROW(one.write(example()), JobError);
  EXPECT_EQ(find_state(work_dir()).newest->sequence, 1);
  // The copy alone failed: the numbered one counts.
  files_.write_errors = {0, EROFS};
  EXPECT_THROW(one.write(example()), JobError);
  EXPECT_EQ(find_state(work_dir()).newest->sequence, 6);
}

TEST_F(StateStoreTest, missing_folder_has_no_state) {
  EXPECT_FALSE(find_state(work_dir() / "nowhere").newest);
  write_file_once(work_dir() / "file", {});
  EXPECT_THROW(find_state(work_dir() / "file"), JobError);
}

}  // namespace
}  // namespace atelier::io
