#pragma once

#include <functional>
#include <memory>
#include <string>

#include "atelier/pipeline/progress.h"
#include "atelier/transport/communicator.h"

namespace atelier::pipeline {

struct Job;
class RecordBuilder;

struct RootConfig {
  bool alone = false;  ///< the one worker is a thread of this process
  ProgressSink* progress = nullptr;
  std::function<int()> interrupted = {};  ///< the signal that asked for the end, or 0; may be empty
  std::function<int()> continued = {};    ///< how often CONT has come; may be empty
  std::string launcher = "none";          ///< for the job's state
  std::function<void(const std::string& error)> on_failure = {};  ///< called once, before all else ends
};

/// Rank 0 at work. One thread, that of the caller, talks to the workers:
///
///   decode (a thread) → deal to the workers with room → styled frames back
///     → encode (threads, one encoder a chunk) → store and mux (a thread, chunks in order)
///
/// What an earlier start has stored is not styled again.
class Root {
 public:
  /// All of them must outlive it.
  Root(Job& job, transport::Communicator& communicator, RecordBuilder& record, const RootConfig& config);
  ~Root();
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;

  /// From the first worker's answer until the output has its final name and all workers have left. False: an
  /// earlier start had finished the output, and only its work directory was still there. Throws
  /// Error: then nothing lies under the output's name, finished chunks stay in the work directory, and the
  /// workers are still there.
  bool run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atelier::pipeline
