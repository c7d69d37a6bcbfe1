#pragma once

#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "atelier/media/video_reader.h"
#include "atelier/pipeline/blocking_queue.h"

namespace atelier::pipeline {

/// Decodes in a thread of its own, a bounded number of frames ahead.
class DecodeStage {
 public:
  /// The reader is used by this stage alone until the destructor has returned.
  DecodeStage(media::VideoReader& reader, std::size_t capacity_frames);
  ~DecodeStage();
  DecodeStage(const DecodeStage&) = delete;
  DecodeStage& operator=(const DecodeStage&) = delete;

  /// The next frame in output order, or nullopt if none is ready. Never waits. Throws what decoding threw.
  std::optional<FramePlanes> try_pop();
  /// No frame will come any more. Throws what decoding threw.
  [[nodiscard]] bool exhausted();
  /// Known once exhausted; empty before.
  [[nodiscard]] media::Damage damage() const;

 private:
  void decode();

  media::VideoReader& reader_;
  BlockingQueue<FramePlanes> frames_;
  mutable std::mutex mutex_;  // guards what follows
  std::exception_ptr error_;
  media::Damage damage_;
  std::thread thread_;
};

}  // namespace atelier::pipeline
