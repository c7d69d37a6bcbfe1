#include "atelier/planning/follow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "io/faulty_files.h"

namespace atelier::planning {
namespace {

using io::LiveState;
using testing::HasSubstr;
using enum Followed::Kind;

class Follow : public testing::Test {
 protected:
  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "out.mkv.status.json";
  io::FaultyFiles files_;
  io::ProcessIdentity job_{"host", "boot", "pid:[1]", 100, 1};
  bool job_runs_ = true;
  double now_s_ = 1000;
  std::int64_t frames_done_ = 0;
  std::optional<io::LiveStatusFile> file_;

  void write(LiveState state) {
    if (!file_) file_.emplace(path_, job_);
    io::LiveStatus status;
    status.state = state;
    status.frames_done = ++frames_done_;
    ASSERT_EQ(file_->write(status), "");
  }
  StatusFollower follower(const std::string& name = "out.mkv.status.json") {
    return StatusFollower({.path = folder_.path() / name,
                           .files = &files_,
                           .self = {"host", "boot", "pid:[1]", 1, 1},
                           .runs = [this](const io::ProcessIdentity&) { return job_runs_; },
                           .now_s = [this] { return now_s_; }});
  }
};

TEST_F(Follow, GoesWithTheJobToItsEnd) {
  write(LiveState::running);
  StatusFollower follower = this->follower();
  EXPECT_EQ(follower.look().kind, at_work);
  write(LiveState::running);
  const Followed second = follower.look();
  EXPECT_EQ(second.kind, at_work);
  EXPECT_EQ(second.status.frames_done, 2);
  write(LiveState::done);
  EXPECT_EQ(follower.look().kind, ended);
  EXPECT_EQ(follower.look().kind, ended);
}

TEST_F(Follow, FindsTheFileBesideTheOutput) {
  write(LiveState::done);
  EXPECT_EQ(follower("out.mkv").look().kind, ended);
  write_file_once(folder_.path() / "out.mkv", {});
  EXPECT_EQ(follower("out.mkv").look().kind, ended);
}

TEST_F(Follow, SaysThatTheJobWasKilled) {
  write(LiveState::running);
  StatusFollower follower = this->follower();
  job_runs_ = false;
  const Followed found = follower.look();
  EXPECT_EQ(found.kind, lost);
  EXPECT_THAT(found.why, HasSubstr("was killed: process 100 on host does not run any more"));
  // But its last word counts, also when it ended long ago.
  write(LiveState::failed);
  EXPECT_EQ(this->follower().look().kind, ended);
}

TEST_F(Follow, AJobElsewhereIsJudgedByItsSilence) {
  job_.host = "elsewhere";
  job_runs_ = false;  // must not be asked
  write(LiveState::running);
  StatusFollower follower = this->follower();
  now_s_ += StatusFollower::silence_s;
  EXPECT_EQ(follower.look().kind, at_work);
  write(LiveState::running);
  now_s_ += 1;
  EXPECT_EQ(follower.look().kind, at_work);
  now_s_ += StatusFollower::silence_s + 1;
  const Followed found = follower.look();
  EXPECT_EQ(found.kind, lost);
  EXPECT_THAT(found.why, HasSubstr("no news for 61 s: process 100 on elsewhere"));
}

TEST_F(Follow, BearsAFileThatIsBeingWritten) {
  write(LiveState::running);
  StatusFollower follower = this->follower();
  write_file_once(path_, {});
  EXPECT_EQ(follower.look().kind, at_work);
  now_s_ += StatusFollower::unreadable_s - 1;
  files_.read_errors = {EIO};
  EXPECT_EQ(follower.look().kind, at_work);
  write(LiveState::running);
  EXPECT_EQ(follower.look().status.frames_done, 2);
  std::filesystem::remove(path_);
  now_s_ += StatusFollower::unreadable_s + 1;
  const Followed found = follower.look();
  EXPECT_EQ(found.kind, lost);
  EXPECT_THAT(found.why, HasSubstr("no such file"));
}

TEST_F(Follow, RefusesWhatIsNoStatus) {
  EXPECT_THROW(follower("missing.mkv"), UsageError);
  const std::string_view text = "no status";
  write_file_once(folder_.path() / "text", std::as_bytes(std::span(text)));
  EXPECT_THROW(follower("text"), UsageError);
}

}  // namespace
}  // namespace atelier::planning
