#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace atelier::pipeline {

/// How far a job is; the root makes it a few times a second.
struct Progress {
  std::int64_t num_frames_done = 0;        ///< styled and back at the root, or found finished
  std::optional<std::int64_t> num_frames;  ///< of the whole job, where the container tells
  double elapsed_s = 0;                    ///< since the job's start
  double frames_per_s = 0;                 ///< since the first frame came back
  std::optional<double> remaining_s;       ///< estimate
  std::int64_t num_failures = 0;           ///< chunks that had to be dealt again, and damaged places
  int num_workers = 0;                     ///< ready
};

/// Shows progress to a person or a program. Called from the root's main thread only.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void update(const Progress& progress) = 0;
  /// The job is over; succeeded or not.
  virtual void finish(const Progress& progress, bool succeeded) = 0;
};

}  // namespace atelier::pipeline
