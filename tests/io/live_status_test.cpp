#include "atelier/io/live_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "atelier/base/handle.h"
#include "io/faulty_files.h"

namespace atelier::io {
namespace {

LiveStatus example() {
  LiveStatus status;
  status.state = LiveState::running;
  status.input = "/videos/Schüler \"1\".mkv";
  status.output = "/videos/out.mkv";
  status.frames_done = 1234;
  status.frames_total = 5000;
  status.elapsed_s = 12.5;
  status.frames_per_s = 98.75;
  status.remaining_s = 38.25;
  status.workers_ready = 4;
  status.num_ranks = 5;
  status.failures = 1;
  status.events = {{3.5, 2, "retry", "chunk 7: the engine failed"}};
  status.process = {"host", "boot", "pid:[1]", 77, 88};
  status.launcher = "mpirun";
  status.interval_s = 5;
  status.started = "2026-01-31T12:34:56Z";
  status.updated = "2026-01-31T12:35:56Z";
  status.sequence = 9;
  return status;
}

TEST(LiveStatus, ComesBackAsItWas) {
  LiveStatus status = example();
  for (int i = 0; i < 2; ++i) {
    const Buffer bytes = serialise_live_status(status);
    const ParsedLiveStatus back = parse_live_status(bytes.bytes());
    ASSERT_TRUE(back.status) << back.problem;
    // Every member is in the text, so equal texts are equal statuses.
    EXPECT_TRUE(std::ranges::equal(serialise_live_status(*back.status).bytes(), bytes.bytes()));
    EXPECT_EQ(back.status->input, status.input);
    EXPECT_EQ(back.status->remaining_s, status.remaining_s);
    EXPECT_EQ(back.status->events.size(), status.events.size());
    EXPECT_EQ(back.status->process.start_ticks, status.process.start_ticks);
    status = {};
    status.state = LiveState::interrupted;
    status.exit_code = 75;
  }
}

TEST(LiveStatus, EveryCutAndEveryFlipIsNoticed) {
  const Buffer whole = serialise_live_status(example());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_live_status(whole.bytes().first(size)).status) << size;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Buffer flipped = whole.clone();
    flipped.bytes()[at] ^= std::byte{0x04};
    const ParsedLiveStatus parsed = parse_live_status(flipped.bytes());
    EXPECT_FALSE(parsed.status) << at;
    EXPECT_FALSE(parsed.problem.empty()) << at;
  }
}

class StatusFile : public testing::Test {
 protected:
  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "out.mkv.status.json";
  const ProcessIdentity self_{"host", "boot", "pid:[1]", 100, 1};
  ProcessIdentity other_ = {"host", "boot", "pid:[1]", 200, 2};
  FaultyFiles files_;
  bool other_runs_ = true;

  LiveStatusFile file(const ProcessIdentity& process) {
    return {path_, process, files_, [this](const ProcessIdentity&) { return other_runs_; }};
  }
  [[nodiscard]] LiveStatus written() const {
    const Buffer bytes = read_file(path_);
    return parse_live_status(bytes.bytes()).status.value();
  }
};

TEST_F(StatusFile, IsWrittenAnewUnderOneName) {
  LiveStatusFile status = file(self_);
  EXPECT_EQ(status.write(example()), "");
  EXPECT_EQ(written().sequence, 1);
  EXPECT_EQ(written().process.pid, 100);
  EXPECT_EQ(status.write(example()), "");
  EXPECT_EQ(written().sequence, 2);
  EXPECT_THAT(files_.written, testing::ElementsAre("out.mkv.status.json", "out.mkv.status.json"));
}

TEST_F(StatusFile, LeavesNoPartAfterAFailure) {
  LiveStatusFile status = file(self_);
  EXPECT_EQ(status.write(example()), "");
  files_.write_errors = {ENOSPC};
  EXPECT_THAT(status.write(example()), testing::HasSubstr("No space left"));
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_TRUE(files_.waits_s.empty());  // tried once
  EXPECT_EQ(status.write(example()), "");
}

TEST_F(StatusFile, IsNotTakenFromAJobAtWork) {
  LiveStatusFile mine = file(self_);
  LiveStatusFile others = file(other_);
  EXPECT_TRUE(mine.is_free());
  EXPECT_EQ(others.write(example()), "");
  EXPECT_FALSE(mine.is_free());
  EXPECT_TRUE(others.is_free());
  mine.remove();
  EXPECT_TRUE(std::filesystem::exists(path_));

  other_runs_ = false;
  EXPECT_TRUE(mine.is_free());
  other_.host = "elsewhere";  // cannot be looked up
  EXPECT_EQ(file(other_).write(example()), "");
  EXPECT_FALSE(mine.is_free());

  LiveStatus done = example();
  done.state = LiveState::done;
  EXPECT_EQ(file(other_).write(done), "");
  EXPECT_TRUE(mine.is_free());
  EXPECT_EQ(mine.write(example()), "");
  mine.remove();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(StatusFile, KnowsWhatMustNotBeLost) {
  EXPECT_FALSE(file(self_).is_foreign());
  const auto with = [&](std::string_view text) {
    write_file_once(path_, std::as_bytes(std::span(text)));
    return file(self_).is_foreign();
  };
  EXPECT_FALSE(with(""));
  EXPECT_FALSE(with("{\n  \"format\": \"atelier st"));
  EXPECT_FALSE(with("{\n  \"format\": \"atelier status\",\n  \"format_version\": 99"));
  EXPECT_TRUE(with("{}"));
  EXPECT_TRUE(with("a diary"));
  EXPECT_TRUE(LiveStatusFile(folder_.path(), self_).is_foreign());
}

}  // namespace
}  // namespace atelier::io
