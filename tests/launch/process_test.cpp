#include "atelier/launch/process.h"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"

namespace atelier::launch {
namespace {

class Process : public testing::Test {
 protected:
  ProcessConfig shell(const std::string& script) const {
    return {.command = {"sh", "-c", script}, .log = log()};
  }
  [[nodiscard]] std::filesystem::path log() const { return folder_.path() / "log"; }
  TemporaryFolder folder_;
};

TEST_F(Process, GivesExitCodeAndOutput) {
  ProcessConfig config = shell("echo $WORD; echo problem >&2; exit 7");
  config.environment = {{"WORD", "hello"}};
  const ProcessResult result = run_process(config);
  EXPECT_EQ(result.end, ProcessEnd::exited);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(last_lines(log(), 5), "hello / problem");
  EXPECT_EQ(last_lines(log(), 1), "problem");
}

TEST_F(Process, TellsASignal) {
  EXPECT_EQ(run_process(shell("kill -9 $$")).exit_code, 128 + SIGKILL);
}

TEST_F(Process, EndsTheWholeGroupWhenTheTimeIsOver) {
  ProcessConfig config = shell("sleep 300 & echo $!; wait");
  config.timeout_s = 0.5;
  const ProcessResult result = run_process(config);
  EXPECT_EQ(result.end, ProcessEnd::timed_out);
  EXPECT_LT(result.seconds_s, 60);
  std::ifstream in(log());
  pid_t grandchild = 0;
  ASSERT_TRUE(in >> grandchild);
  // It has got TERM; a zombie that nobody has waited for yet counts as there.
  for (int i = 0; i < 1000 && kill(grandchild, 0) == 0; ++i) {
    std::ifstream state("/proc/" + std::to_string(grandchild) + "/stat");
    std::string text;
    std::getline(state, text);
    if (text.find(") Z ") != std::string::npos) return;
    usleep(10000);
  }
  EXPECT_NE(kill(grandchild, 0), 0);
}

TEST_F(Process, EndsWhenTheCallerWantsNoMore) {
  ProcessConfig config = shell("sleep 300");
  config.interrupted = [] { return true; };
  EXPECT_EQ(run_process(config).end, ProcessEnd::interrupted);
}

TEST_F(Process, NamesAProgramThatIsNotThere) {
  try {
    run_process({.command = {"no-such-launcher"}, .log = log()});
    FAIL() << "it started";
  } catch (const UsageError& e) {
    EXPECT_NE(std::string(e.what()).find("no-such-launcher"), std::string::npos);
  }
}

TEST_F(Process, DoesNotTakeALostExitCodeForSuccess) {
  struct Ignored {
    void (*before)(int) = std::signal(SIGCHLD, SIG_IGN);
    ~Ignored() { std::signal(SIGCHLD, before); }
  } const ignored;
  try {
    run_process(shell("exit 7"));
    FAIL() << "it has an exit code";
  } catch (const JobError& e) {
    EXPECT_NE(std::string(e.what()).find("how 'sh' ended cannot be told"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace atelier::launch
