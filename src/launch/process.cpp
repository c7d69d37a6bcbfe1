#include "atelier/launch/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <deque>
#include <fstream>
#include <memory>
#include <thread>

#include "atelier/base/error.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"

namespace atelier::launch {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(5);
constexpr double term_grace_s = 10;

class SpawnActions {
 public:
  explicit SpawnActions(const std::filesystem::path& log) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0644);
    posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
  }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes_, &all);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// The added variables win: getenv finds the first of equal names.
std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> all;
  for (const auto& [name, value] : added) all.push_back(concat(name, "=", value));
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const bool replaced = std::ranges::any_of(
        added, [&](const auto& variable) { return text.starts_with(variable.first + "="); });
    if (!replaced) all.push_back(text);
  }
  return all;
}

pid_t spawn(const ProcessConfig& config) {
  std::vector<std::string> command = config.command;
  std::vector<std::string> environment = environment_with(config.environment);
  const SpawnActions actions(config.log);
  const SpawnAttributes attributes;
  pid_t child = 0;
  const int error = posix_spawnp(&child, command.front().c_str(), actions.get(), attributes.get(),
                                 pointers(command).data(), pointers(environment).data());
  if (error != 0)
    throw UsageError(concat("'", command.front(), "' cannot be started"), errno_text(error),
                     concat("See that it is installed and that '", config.log.string(), "' can be written"));
  return child;
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ProcessResult run_process(const ProcessConfig& config) {
  const Stopwatch watch;
  const pid_t child = spawn(config);
  ProcessResult result;
  double ended_at_s = 0;  // when TERM was sent
  bool killed = false;
  int status = 0;
  while (true) {
    const pid_t done = waitpid(child, &status, WNOHANG);
    if (done == child) break;
    if (done < 0 && errno != EINTR)
      throw JobError(concat("how '", config.command.front(), "' ended cannot be told"), errno_text(errno),
                     "This process must not ignore CHLD");
    if (result.end == ProcessEnd::exited) {
      if (watch.seconds_s() > config.timeout_s)
        result.end = ProcessEnd::timed_out;
      else if (config.interrupted && config.interrupted())
        result.end = ProcessEnd::interrupted;
      if (result.end != ProcessEnd::exited) {
        ended_at_s = watch.seconds_s();
        kill(-child, SIGTERM);
      }
    } else if (!killed && watch.seconds_s() > ended_at_s + term_grace_s) {
      killed = true;
      kill(-child, SIGKILL);
    }
    std::this_thread::sleep_for(poll_interval);
  }
  result.exit_code = exit_code_of(status);
  result.seconds_s = watch.seconds_s();
  return result;
}

std::string last_lines(const std::filesystem::path& file, std::size_t num_lines) {
  std::ifstream in(file);
  std::deque<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (line.find_first_not_of(" \t\r-") == std::string::npos) continue;
    lines.push_back(line);
    if (lines.size() > num_lines) lines.pop_front();
  }
  return join({lines.begin(), lines.end()}, " / ");
}

}  // namespace atelier::launch
