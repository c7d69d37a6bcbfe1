#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/buffer.h"
#include "atelier/io/file_operations.h"
#include "atelier/io/owner_mark.h"
#include "atelier/io/record.h"

namespace atelier::io {

enum class LiveState { starting, running, done, failed, interrupted };
/// "starting", "running" …
const char* state_text(LiveState state);
/// Whether the job is over.
bool has_ended(LiveState state);

/// How far a job is, for people and programs that look on.
struct LiveStatus {
  LiveState state = LiveState::starting;
  std::string program_version;
  std::string input;
  std::string output;
  std::int64_t frames_done = 0;              ///< styled and back at the root, or found finished
  std::optional<std::int64_t> frames_total;  ///< where the container tells
  double elapsed_s = 0;                      ///< since the job's start
  double frames_per_s = 0;
  std::optional<double> remaining_s;  ///< estimate
  int workers_ready = 0;
  int num_ranks = 1;
  std::int64_t failures = 0;
  std::optional<int> exit_code;  ///< 0 to 255; not while it runs
  std::string message;           ///< the line that the job ended with
  std::vector<EventRow> events;  ///< the last few
  ProcessIdentity process;       ///< the root's
  std::string launcher;
  double interval_s = 0;  ///< it is written anew this often
  std::string started;    ///< UTC, as utc_text gives it
  std::string updated;    ///< likewise, by the root's clock
  std::int64_t sequence = 0;
};

struct ParsedLiveStatus {
  std::optional<LiveStatus> status;
  std::string problem;  ///< a clause, where there is none
};

/// Indented JSON with the hash of all text before it as last member; docs/running.md lists the members.
Buffer serialise_live_status(const LiveStatus& status);
/// Total: any bytes give a status, or the problem.
ParsedLiveStatus parse_live_status(std::span<const std::byte> bytes);
/// Whether a status file of any version may begin so, also one that is cut, even to nothing.
bool begins_like_live_status(std::span<const std::byte> bytes);

/// The file that a job says its status in: one name, written anew, front to back and closed each time. A
/// reader may find it half-written, which its hash shows, and then reads again.
class LiveStatusFile {
 public:
  LiveStatusFile(std::filesystem::path path, ProcessIdentity self, FileOperations& files = system_files(),
                 std::function<bool(const ProcessIdentity&)> runs = process_runs);

  /// Whether no other job uses the name: there is no such file, or it is ours, or of a job that has ended, or
  /// of a process of this machine that has.
  [[nodiscard]] bool is_free();
  /// Whether there is something that is no status file, and must not be lost.
  [[nodiscard]] bool is_foreign();
  /// Sets process, sequence and updated. Tries once. What went wrong, or "". Where that left a part of a
  /// file, it is removed.
  [[nodiscard]] std::string write(LiveStatus status);
  /// If it is ours.
  void remove();

 private:
  std::filesystem::path path_;
  ProcessIdentity self_;
  FileOperations& files_;
  std::function<bool(const ProcessIdentity&)> runs_;
  std::int64_t sequence_ = 0;
};

}  // namespace atelier::io
