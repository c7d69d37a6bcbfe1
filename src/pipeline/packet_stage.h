#pragma once

#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "atelier/media/packet_reader.h"
#include "atelier/pipeline/blocking_queue.h"

namespace atelier::pipeline {

/// Cuts the video into chunks of packets in a thread of its own, two chunks ahead.
class PacketStage {
 public:
  explicit PacketStage(media::PacketReader reader)
      : reader_(std::move(reader)), chunks_(2), thread_([this] { read(); }) {}
  ~PacketStage() {
    chunks_.close();
    thread_.join();
  }
  PacketStage(const PacketStage&) = delete;
  PacketStage& operator=(const PacketStage&) = delete;

  /// The next chunk, or nullopt if none is ready. Never waits.
  std::optional<media::PackedChunk> try_pop() { return chunks_.try_pop(); }
  /// No chunk will come any more. Throws what reading threw.
  [[nodiscard]] bool exhausted() {
    if (!chunks_.exhausted()) return false;
    const std::lock_guard lock(mutex_);
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    return true;
  }
  /// Once exhausted: why packets do not tell more; empty: the video has ended.
  [[nodiscard]] const std::string& obstacle() const { return reader_.obstacle(); }

 private:
  void read() {
    try {
      while (std::optional<media::PackedChunk> chunk = reader_.read())
        if (!chunks_.push(std::move(*chunk))) return;
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
    }
    chunks_.close();
  }

  media::PacketReader reader_;
  BlockingQueue<media::PackedChunk> chunks_;
  std::mutex mutex_;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace atelier::pipeline
