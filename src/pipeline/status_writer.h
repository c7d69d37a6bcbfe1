#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "atelier/base/error.h"
#include "atelier/base/stopwatch.h"
#include "atelier/io/live_status.h"
#include "atelier/pipeline/progress.h"
#include "atelier/pipeline/run_config.h"

namespace atelier::pipeline {

class RecordBuilder;

/// --status, else OUT.status.json; empty: none is wanted.
std::filesystem::path status_path(const RunConfig& config);

/// Throws UsageError for a status file that would replace something else.
void check_status_path(const RunConfig& config);

/// Says every few seconds in a file how far the job is, from a thread of its own: a slow disk does not hold
/// the job up, and a file that cannot be written is a warning, once. Passes progress on to another sink.
class StatusWriter final : public ProgressSink {
 public:
  static constexpr double interval_s = 5;

  /// record and next, which may be null, must outlive it.
  StatusWriter(const RunConfig& config, const std::string& launcher, int num_ranks,
               const RecordBuilder& record, ProgressSink* next);
  /// Waits for the thread, but for some seconds only: a mount may hang.
  ~StatusWriter() override;

  void update(const Progress& progress) override;
  void finish(const Progress& progress, bool succeeded) override;
  /// The last word. A job that ended with bad usage or bad input leaves no file.
  void ended(ExitCode code, const std::string& message);

 private:
  struct Shared;
  void take(const Progress& progress);

  const RecordBuilder& record_;
  ProgressSink* next_;
  io::LiveStatus status_;
  Stopwatch since_write_;
  bool any_ = false;
  std::shared_ptr<Shared> shared_;  // with the thread
};

}  // namespace atelier::pipeline
