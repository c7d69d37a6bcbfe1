#include "atelier/base/log.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "log_file.h"

namespace atelier::log {
namespace {

struct State {
  std::mutex mutex;
  LogConfig config;
  std::shared_ptr<spdlog::logger> file;
  void (*before)() = nullptr;
  void (*after)() = nullptr;
};

std::atomic<bool> said_error = false;

State& state() {
  static State instance;
  return instance;
}

void to_stderr(const std::string& line) {
  State& s = state();
  if (s.before != nullptr) s.before();
  // One write, so that lines of several ranks do not mix.
  const std::string whole = line + "\n";
  std::fwrite(whole.data(), 1, whole.size(), stderr);
  std::fflush(stderr);
  if (s.after != nullptr) s.after();
}

void write(spdlog::level::level_enum level, const char* prefix, const std::string& line, bool on_stderr) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.file) s.file->log(level, line);
  if (on_stderr) to_stderr(prefix + line);
}

}  // namespace

void configure(const LogConfig& config) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.config = config;
  s.file.reset();
  if (config.file.empty()) return;
  try {
    auto sink = std::make_shared<LogFile>(config.file);
    s.file = std::make_shared<spdlog::logger>("atelier", sink);
    s.file->set_level(spdlog::level::debug);
    s.file->set_pattern(concat("%Y-%m-%dT%H:%M:%S.%e%z rank ", config.rank, " %l: %v"));
    s.file->flush_on(spdlog::level::warn);
  } catch (const spdlog::spdlog_ex&) {
    throw UsageError(concat("cannot write the log file '", config.file.string(), "'"), errno_text(errno),
                     "Name a writable folder with --log-dir");
  }
}

void debug(const std::string& line) {
  write(spdlog::level::debug, "atelier: ", line, state().config.verbose);
}
void info(const std::string& line) {
  write(spdlog::level::info, "atelier: ", line, state().config.rank == 0);
}
void warning(const std::string& line) {
  write(spdlog::level::warn, "atelier: warning: ", line, true);
}
void error(const std::string& line) {
  write(spdlog::level::err, "atelier: error: ", line, true);
  said_error = true;
}
bool error_said() {
  return said_error;
}
void to_file(const std::string& line) {
  write(spdlog::level::info, "", line, false);
}

bool has_file() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  return s.file != nullptr;
}

void flush() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.file) s.file->flush();
}

void set_stderr_hooks(void (*before)(), void (*after)()) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.before = before;
  s.after = after;
}

}  // namespace atelier::log
