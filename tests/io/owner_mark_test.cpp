#include "atelier/io/owner_mark.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "io/faulty_files.h"

namespace atelier::io {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

ProcessIdentity process(const std::string& host, std::int64_t pid) {
  return {host, "boot of " + host, "pid:[1]", pid, 100 + pid};
}

/// Machines with one clock, on which time passes only while somebody waits.
class OwnerMarkTest : public ::testing::Test {
 protected:
  OwnerMarkTest() {
    files_.on_wait = [this] {
      clock_s_ += files_.waits_s.back();
      if (while_waiting_) while_waiting_();
    };
  }

  OwnerMarkConfig config(const std::string& start_id, const std::string& host, std::int64_t pid) {
    OwnerMarkConfig config;
    config.work_dir = folder_.path();
    config.start_id = start_id;
    config.files = &files_;
    config.self = process(host, pid);
    config.now_s = [this] { return clock_s_; };
    config.runs = [this](const ProcessIdentity& asked) { return running_pids_.contains(asked.pid); };
    config.on_wait = [this](const std::string& other, double) { watched_ = other; };
    running_pids_.insert(pid);
    return config;
  }
  /// What a start leaves that is killed at work.
  void leave_mark_of_killed(const std::string& start_id, const std::string& host, std::int64_t pid,
                            double worked_s = 0) {
    const TemporaryFolder elsewhere;
    {
      OwnerMark mark(config(start_id, host, pid));
      clock_s_ += worked_s;
      EXPECT_EQ(mark.renew(), "");
      fs::copy(folder_.path(), elsewhere.path());
    }
    fs::copy(elsewhere.path(), folder_.path(), fs::copy_options::recursive | fs::copy_options::skip_existing);
    running_pids_.erase(pid);
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    EXPECT_EQ(system_files().list(folder_.path(), names), 0);
    return names;
  }
  std::string refusal_of(OwnerMarkConfig config) {
    try {
      const OwnerMark mark(std::move(config));
    } catch (const UsageError& e) {
      return e.what();
    }
    return "not refused";
  }

  TemporaryFolder folder_;
  FaultyFiles files_;
  double clock_s_ = 1000;
  std::set<std::int64_t> running_pids_;
  std::function<void()> while_waiting_;
  std::string watched_;
};

TEST_F(OwnerMarkTest, is_renewed_under_new_names_and_goes_at_the_end) {
  {
    OwnerMark mark(config("a", "here", 1));
    EXPECT_THAT(names(), ElementsAre("owner-a-00000002.json"));
    clock_s_ += 9;
    EXPECT_EQ(mark.renew(), "");
    EXPECT_THAT(names(), ElementsAre("owner-a-00000002.json"));
    clock_s_ += 1;
    EXPECT_EQ(mark.renew(), "");
    EXPECT_THAT(names(), ElementsAre("owner-a-00000003.json"));
    EXPECT_FALSE(mark.others_at_work());
  }
  EXPECT_THAT(names(), ElementsAre());
  EXPECT_TRUE(files_.waits_s.empty());
}

TEST_F(OwnerMarkTest, second_job_on_the_same_machine_is_refused_in_seconds) {
  const OwnerMark first(config("a", "here", 1));
  const double began_s = clock_s_;
  EXPECT_THAT(refusal_of(config("b", "here", 2)),
              AllOf(HasSubstr("process 1 on here"), HasSubstr("--work-dir")));
  EXPECT_LE(clock_s_ - began_s, 5);
  EXPECT_THAT(names(), ElementsAre("owner-a-00000002.json"));
}

TEST_F(OwnerMarkTest, job_on_the_same_machine_that_is_dying_turns_nobody_away) {
  const OwnerMark first(config("a", "here", 1));
  while_waiting_ = [this] { running_pids_.erase(1); };
  const OwnerMark second(config("b", "here", 2));
  EXPECT_THAT(files_.waits_s, SizeIs(1));
  EXPECT_EQ(watched_, "process 1 on here");
}

TEST_F(OwnerMarkTest, killed_job_on_the_same_machine_turns_nobody_away) {
  leave_mark_of_killed("a", "here", 1);
  const OwnerMark second(config("b", "here", 2));
  EXPECT_TRUE(files_.waits_s.empty());
  EXPECT_THAT(names(), ElementsAre("owner-b-00000002.json"));
}

TEST_F(OwnerMarkTest, live_job_on_another_machine_is_seen_by_its_renewal) {
  OwnerMark first(config("a", "there", 1));
  while_waiting_ = [&] { EXPECT_EQ(first.renew(), ""); };
  EXPECT_THAT(refusal_of(config("b", "here", 2)), HasSubstr("process 1 on there"));
  EXPECT_EQ(watched_, "process 1 on there");
  EXPECT_LE(clock_s_, 1000 + OwnerMark::renewal_s + 1);
  EXPECT_THAT(names(), ElementsAre("owner-a-00000003.json"));
}

TEST_F(OwnerMarkTest, killed_job_on_another_machine_is_waited_for_and_no_longer) {
  leave_mark_of_killed("a", "there", 1, 55);
  running_pids_.insert(1);  // a process of that number runs here
  const double before_s = clock_s_;
  const OwnerMark second(config("b", "here", 2));
  EXPECT_EQ(clock_s_ - before_s, OwnerMark::watch_s);
  EXPECT_EQ(watched_, "process 1 on there");
  EXPECT_FALSE(second.others_at_work());
  ASSERT_EQ(names().size(), 1U);
  EXPECT_TRUE(names()[0].starts_with("owner-b-"));
}

// Containers may share a host's name and not its processes; a machine that booted again has other processes.
TEST_F(OwnerMarkTest, process_is_looked_up_only_where_it_can_be) {
  leave_mark_of_killed("a", "here", 1);
  OwnerMarkConfig container = config("b", "here", 2);
  container.self.pid_namespace = "pid:[2]";
  const OwnerMark second(container);
  EXPECT_EQ(clock_s_, 1000 + OwnerMark::watch_s);
}

TEST_F(OwnerMarkTest, job_elsewhere_that_ends_meanwhile_is_not_waited_for) {
  std::optional<OwnerMark> first;
  first.emplace(config("a", "there", 1));
  while_waiting_ = [&] {
    if (clock_s_ >= 1004) first.reset();
  };
  const OwnerMark second(config("b", "here", 2));
  EXPECT_EQ(clock_s_, 1004);
}

TEST_F(OwnerMarkTest, of_two_that_begin_at_once_the_lower_start_id_goes_on) {
  // b writes its first mark; before it looks around, a comes and is ready.
  std::optional<OwnerMark> lower;
  files_.list_errors = {EIO};
  while_waiting_ = [&] {
    if (!lower) lower.emplace(config("a", "here", 1));
  };
  EXPECT_THAT(refusal_of(config("b", "here", 2)), HasSubstr("process 1 on here"));
  EXPECT_TRUE(lower);
  EXPECT_THAT(names(), ElementsAre("owner-a-00000002.json"));
}

TEST_F(OwnerMarkTest, newcomer_refuses_also_one_that_comes_while_it_watches) {
  leave_mark_of_killed("x", "nowhere", 9);
  std::optional<OwnerMark> lower;
  while_waiting_ = [&] {
    if (!lower && clock_s_ == 1003) {
      while_waiting_ = nullptr;
      leave_mark_of_killed("a", "there", 1);
    }
  };
  EXPECT_THAT(refusal_of(config("b", "here", 2)), HasSubstr("process 1 on there"));
}

TEST_F(OwnerMarkTest, half_written_and_foreign_marks_are_waited_for_at_most) {
  const std::string half = "{\"format\": \"atel";
  write_file_once(folder_.path() / "owner-a-00000001.json", std::as_bytes(std::span(half)));
  write_file_once(folder_.path() / "owner-z-9.json", {});
  write_file_once(folder_.path() / "letter.txt", {});
  const OwnerMark second(config("b", "here", 2));
  EXPECT_EQ(clock_s_, 1000 + OwnerMark::watch_s);
  EXPECT_EQ(watched_, "the start a");
}

TEST_F(OwnerMarkTest, killed_while_renewing_is_looked_up_by_its_older_mark) {
  leave_mark_of_killed("a", "here", 1);
  write_file_once(folder_.path() / "owner-a-00000009.json", {});
  const OwnerMark second(config("b", "here", 2));
  EXPECT_TRUE(files_.waits_s.empty());
}

TEST_F(OwnerMarkTest, waiting_can_be_given_up) {
  leave_mark_of_killed("a", "there", 1);
  OwnerMarkConfig impatient = config("b", "here", 2);
  impatient.on_wait = [](const std::string&, double waited_s) {
    if (waited_s >= 2) throw JobError("interrupted");
  };
  EXPECT_THROW(OwnerMark{impatient}, JobError);
  EXPECT_THAT(names(), ElementsAre("owner-a-00000002.json"));
}

TEST_F(OwnerMarkTest, failed_renewal_is_said_and_tried_again) {
  OwnerMark mark(config("a", "here", 1));
  files_.write_errors = {EIO};
  clock_s_ += 10;
  EXPECT_THAT(mark.renew(), HasSubstr(errno_text(EIO)));
  EXPECT_TRUE(files_.waits_s.empty());
  EXPECT_THAT(names(), ElementsAre("owner-a-00000002.json"));
  clock_s_ += 2;
  EXPECT_EQ(mark.renew(), "");
  EXPECT_THAT(names(), ElementsAre("owner-a-00000004.json"));
}

TEST_F(OwnerMarkTest, folder_that_cannot_be_written_is_said) {
  files_.write_errors = {EROFS};
  EXPECT_THROW(OwnerMark(config("a", "here", 1)), JobError);
  OwnerMarkConfig nowhere = config("a", "here", 1);
  nowhere.work_dir = folder_.path() / "nowhere";
  EXPECT_THROW(OwnerMark{nowhere}, JobError);
}

TEST_F(OwnerMarkTest, job_that_came_nevertheless_is_seen_at_the_end) {
  const OwnerMark mark(config("a", "here", 1));
  leave_mark_of_killed("A", "there", 2);
  EXPECT_TRUE(mark.others_at_work());
}

// Real processes and the real /proc.
TEST(ProcessIdentity, of_a_killed_process_does_not_run) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const ProcessIdentity self = this_process();
    if (::write(ready[1], &self.start_ticks, sizeof self.start_ticks) < 0) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  ProcessIdentity identity = this_process();
  EXPECT_TRUE(process_runs(identity));
  EXPECT_TRUE(identity.shares_processes_with(this_process()));
  identity.pid = child;
  ASSERT_EQ(::read(ready[0], &identity.start_ticks, sizeof identity.start_ticks),
            static_cast<ssize_t>(sizeof identity.start_ticks));
  EXPECT_TRUE(process_runs(identity));
  ProcessIdentity reused = identity;
  reused.start_ticks -= 1;
  EXPECT_FALSE(process_runs(reused));

  ::kill(child, SIGKILL);
  siginfo_t info;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(process_runs(identity)) << "a zombie";
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(process_runs(identity));
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace atelier::io
