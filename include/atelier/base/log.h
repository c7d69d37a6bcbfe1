#pragma once

#include <concepts>
#include <filesystem>
#include <string>

namespace atelier::log {

/// What the log lines of this process start with, and the file they also go to.
struct LogConfig {
  int rank = 0;
  std::filesystem::path file = {};  ///< empty: stderr only
  bool verbose = false;             ///< debug lines too
};

/// Lines go to stderr (warnings and errors from any rank, information from rank 0 only) and, all of them, to
/// the file. Throws UsageError if the file cannot be opened.
void configure(const LogConfig& config);

/// Detail: to the file, and to stderr when verbose.
void debug(const std::string& line);
void info(const std::string& line);
/// `atelier: warning: line`
void warning(const std::string& line);
/// `atelier: error: line`
void error(const std::string& line);
/// Whether such a line was written. May be asked in a signal handler.
[[nodiscard]] bool error_said();
/// To the log file only; nothing where there is none.
void to_file(const std::string& line);
[[nodiscard]] bool has_file();
/// The same; the line is made only where there is a file. For what happens with every frame.
template <std::invocable MakeLine>
void to_file(const MakeLine& make_line) {
  if (has_file()) to_file(std::string(make_line()));
}
/// Flushes the log file.
void flush();

/// Called before a line goes to stderr and after it, so that a progress bar can make room. Either may be
/// null.
void set_stderr_hooks(void (*before)(), void (*after)());

}  // namespace atelier::log
