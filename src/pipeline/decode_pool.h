#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <thread>
#include <vector>

#include "atelier/base/buffer.h"
#include "atelier/frame/frame.h"
#include "atelier/pipeline/blocking_queue.h"
#include "atelier/pipeline/decoding_protocol.h"

namespace atelier::pipeline {

/// The threads of a worker that decode chunks of packets, a chunk each, a few frames ahead.
class DecodePool {
 public:
  /// setup: a packed media::DecoderSetup.
  DecodePool(Buffer setup, int num_threads);
  ~DecodePool();
  DecodePool(const DecodePool&) = delete;
  DecodePool& operator=(const DecodePool&) = delete;

  /// packets: a packed media::PacketChunk. Never waits.
  void push(std::int64_t chunk_index, Buffer packets) { todo_.push({chunk_index, std::move(packets)}); }

  /// A frame, or after the last one of a chunk what became of it.
  struct Item {
    std::int64_t chunk_index = 0;
    std::optional<FramePlanes> frame;
    DecodedChunk outcome;  ///< where frame is none
  };
  /// Never waits.
  std::optional<Item> try_pop() { return done_.try_pop(); }

 private:
  struct Task {
    std::int64_t chunk_index = 0;
    Buffer packets;
  };
  void decode();
  DecodedChunk decode(const Task& task);

  Buffer setup_;
  BlockingQueue<Task> todo_{std::numeric_limits<std::size_t>::max()};  // credits bound it
  BlockingQueue<Item> done_;
  std::vector<std::thread> threads_;
};

}  // namespace atelier::pipeline
