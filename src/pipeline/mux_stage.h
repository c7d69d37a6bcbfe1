#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "atelier/media/muxer.h"
#include "atelier/pipeline/blocking_queue.h"
#include "atelier/pipeline/reorder_buffer.h"

namespace atelier::pipeline {

/// Muxes segments in the order of their chunks, in a thread of its own.
class MuxStage {
 public:
  explicit MuxStage(const media::MuxerConfig& config);
  /// Without finish(): nothing stays under the output's name.
  ~MuxStage();
  MuxStage(const MuxStage&) = delete;
  MuxStage& operator=(const MuxStage&) = delete;

  /// In any order.
  void add(Segment segment) { segments_.push(std::move(segment)); }
  /// Throws what muxing threw, if it did.
  void check();
  /// All segments have come: writes the rest of the file, and renames it. Throws what muxing threw.
  void finish();
  [[nodiscard]] const std::vector<std::string>& warnings() const { return muxer_->warnings(); }

 private:
  void mux();

  std::unique_ptr<media::Muxer> muxer_;
  BlockingQueue<Segment> segments_;
  std::mutex mutex_;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace atelier::pipeline
