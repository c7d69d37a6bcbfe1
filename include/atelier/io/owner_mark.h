#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "atelier/io/file_operations.h"

namespace atelier::io {

/// A process, so that it cannot be mistaken for a later one with its number.
struct ProcessIdentity {
  std::string host;
  std::string boot_id;        ///< of the running kernel
  std::string pid_namespace;  ///< in which pid counts: containers may share a host's name
  std::int64_t pid = 0;
  std::int64_t start_ticks = 0;  ///< its start since boot: field 22 of /proc/PID/stat (proc(5))

  /// Whether processes of the two can be looked up from each other.
  [[nodiscard]] bool shares_processes_with(const ProcessIdentity& other) const;
};

ProcessIdentity this_process();
/// Looks in /proc of this machine; a zombie does not run.
bool process_runs(const ProcessIdentity& process);

/// The defaults are this machine's own clock, processes and files.
struct OwnerMarkConfig {
  std::filesystem::path work_dir;
  std::string start_id;
  FileOperations* files = &system_files();
  ProcessIdentity self = this_process();
  std::function<double()> now_s = {};                               ///< seconds on a clock that is never set
  std::function<bool(const ProcessIdentity&)> runs = process_runs;  ///< asked for those on this machine
  /// Called each second while the constructor watches; other: "process 12 on machine-b". May throw to give
  /// up.
  std::function<void(const std::string& other, double waited_s)> on_wait = {};
};

/// Says in the work directory that a job is at work there, so that a second one refuses where it can tell.
/// Files owner-<start id>-<sequence>.json, a new name every 10 s; the older one goes when the newer is
/// closed.
///
/// A mark of a job that has ended turns nobody away: on this machine its process is looked up, for
/// some seconds, since a rank may outlive its launcher for a moment. A mark from
/// elsewhere counts only if it is renewed while the newcomer watches, for at most 30 s of its own clock. No
/// clock or file time is compared between machines. Where two begin at the same moment, the lower start id
/// goes on. Nothing depends on the marks but the refusal: two jobs that run nevertheless do not harm each
/// other.
class OwnerMark {
 public:
  static constexpr double renewal_s = 10;
  static constexpr double watch_s = 30;

  /// Returns when nobody else is at work there. Throws UsageError that names the other's machine and process,
  /// and JobError if no mark can be written.
  explicit OwnerMark(OwnerMarkConfig config);
  /// Removes its marks.
  ~OwnerMark();
  OwnerMark(const OwnerMark&) = delete;
  OwnerMark& operator=(const OwnerMark&) = delete;

  /// To be called often: writes a new mark if 10 s have passed. Never waits and never throws; gives what went
  /// wrong, as a clause for the log, or nothing. A failed renewal is tried again by the next call after 2 s.
  std::string renew();

  /// Whether the next renew() writes.
  [[nodiscard]] bool renewal_due() const;

  /// Whether another start may be at work there now, as far as one look can tell.
  [[nodiscard]] bool others_at_work() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atelier::io
