#pragma once

#include "atelier/base/stopwatch.h"
#include "atelier/pipeline/progress.h"

namespace atelier::pipeline {

/// Counts, estimates, and tells the sink, at most ten times a second.
class ProgressMeter {
 public:
  ProgressMeter(ProgressSink* sink, std::optional<std::int64_t> num_frames) : sink_(sink) {
    progress_.num_frames = num_frames;
  }

  void frame_done() {
    if (progress_.num_frames_done++ == num_restored_) since_first_frame_.restart_s();
  }
  /// Frames that an earlier start has finished.
  void frames_restored(std::int64_t num_frames) {
    num_restored_ += num_frames;
    progress_.num_frames_done += num_frames;
  }
  /// Of those done; they are done again.
  void frames_lost(std::int64_t num_frames) { progress_.num_frames_done -= num_frames; }
  void failure() { ++progress_.num_failures; }
  void set_num_workers(int num_workers) { progress_.num_workers = num_workers; }
  [[nodiscard]] std::int64_t num_frames_done() const { return progress_.num_frames_done; }

  void tick() {
    constexpr double interval_s = 0.1;
    if (sink_ == nullptr || since_update_.seconds_s() < interval_s) return;
    since_update_.restart_s();
    estimate();
    sink_->update(progress_);
  }
  void finish(bool succeeded) {
    if (sink_ == nullptr) return;
    estimate();
    sink_->finish(progress_, succeeded);
  }

 private:
  void estimate() {
    progress_.elapsed_s = since_start_.seconds_s();
    // The first frame only starts the clock.
    const auto after_first = static_cast<double>(progress_.num_frames_done - num_restored_ - 1);
    const double seconds_s = since_first_frame_.seconds_s();
    progress_.frames_per_s = after_first >= 1 && seconds_s > 0 ? after_first / seconds_s : 0;
    progress_.remaining_s.reset();
    if (progress_.num_frames && progress_.frames_per_s > 0 &&
        *progress_.num_frames >= progress_.num_frames_done)
      progress_.remaining_s =
          static_cast<double>(*progress_.num_frames - progress_.num_frames_done) / progress_.frames_per_s;
  }

  ProgressSink* sink_;
  Progress progress_;
  std::int64_t num_restored_ = 0;
  Stopwatch since_start_;
  Stopwatch since_first_frame_;
  Stopwatch since_update_;
};

}  // namespace atelier::pipeline
