#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace atelier::launch {

struct ProcessConfig {
  std::vector<std::string> command;  ///< program (looked up in PATH) and arguments
  std::vector<std::pair<std::string, std::string>> environment = {};  ///< added to that of this process
  std::filesystem::path log = {};  ///< gets its stdout and stderr; written anew
  double timeout_s = 3600;
  std::function<bool()> interrupted = {};  ///< asked some times a second; may be empty
};

enum class ProcessEnd { exited, timed_out, interrupted };

struct ProcessResult {
  ProcessEnd end = ProcessEnd::exited;
  int exit_code = 0;  ///< of a process that exited; 128 + signal if one killed it
  double seconds_s = 0;
};

/// Runs a program to its end, with stdin from /dev/null, in a process group of its own. When the time is over
/// or the caller wants no more, the group gets TERM, and KILL 10 s later. Throws UsageError for a program
/// that cannot be started or a log that cannot be written, JobError where the system does not tell how it
/// ended: then this process ignores CHLD.
ProcessResult run_process(const ProcessConfig& config);

/// The last lines of a text file that say something, joined by " / "; empty if there is none.
std::string last_lines(const std::filesystem::path& file, std::size_t num_lines);

}  // namespace atelier::launch
