#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "atelier/base/stopwatch.h"
#include "atelier/io/live_status.h"

namespace atelier::planning {

/// What is known of a job that is being watched.
struct Followed {
  enum class Kind {
    at_work,  ///< as its status says
    ended,    ///< its status says how
    lost      ///< it will say no more; why tells what is known
  };
  Kind kind = Kind::at_work;
  io::LiveStatus status;  ///< the last one
  std::string why;        ///< a sentence, where it is lost
};

struct FollowerConfig {
  std::filesystem::path path;  ///< the status file, or the output beside which it lies
  io::FileOperations* files = &io::system_files();
  io::ProcessIdentity self = io::this_process();
  std::function<bool(const io::ProcessIdentity&)> runs =
      io::process_runs;                ///< asked for those on this machine
  std::function<double()> now_s = {};  ///< seconds on a clock that is never set
};

/// Reads a job's status file again and again. Whether a job still lives is told by its process where that is
/// on this machine, else by whether the file changes; no clocks of machines are compared.
class StatusFollower {
 public:
  static constexpr double unreadable_s = 10;  ///< so long a file may be half-written or gone
  static constexpr double silence_s = 60;     ///< so long a job elsewhere may write nothing

  /// Throws UsageError where there is no status file.
  explicit StatusFollower(FollowerConfig config);

  /// To be called now and then.
  Followed look();

 private:
  std::optional<io::LiveStatus> read(std::string& problem);
  Followed lost(std::string why) const;

  FollowerConfig config_;
  Stopwatch watch_;
  std::optional<io::LiveStatus> last_;
  double changed_s_ = 0;   // when it last differed
  double readable_s_ = 0;  // when it could last be read
};

}  // namespace atelier::planning
