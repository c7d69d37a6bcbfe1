#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "atelier/base/stopwatch.h"
#include "atelier/frame/chunk.h"
#include "atelier/media/encoder.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/schedule/reorder_buffer.h"

namespace atelier::pipeline {

/// Encodes chunks side by side, each with an encoder of its own, frames in order; the lowest chunk first.
class EncodeStage {
 public:
  /// clock: what the times of a chunk are told by.
  EncodeStage(const media::EncoderConfig& config, int num_threads, Stopwatch clock = {});
  ~EncodeStage();
  EncodeStage(const EncodeStage&) = delete;
  EncodeStage& operator=(const EncodeStage&) = delete;

  /// A styled frame of the chunk, in any order. Never waits.
  void add(std::int64_t chunk_index, std::int64_t first_frame, FramePlanes frame);
  /// How many frames the chunk has; before or after they came.
  void set_end(const Chunk& chunk);
  /// The chunk is not wanted any more. What comes of it afterwards begins it anew.
  void drop(std::int64_t chunk_index);
  /// Frames that could be encoded and are not yet. One that waits for an earlier frame of its chunk does not
  /// count: it may wait for frames that are still to be sent.
  [[nodiscard]] std::int64_t num_waiting();
  /// A chunk that is encoded, in any order; nullopt: none is ready. Throws what encoding threw.
  std::optional<EncodedChunk> try_pop();

 private:
  struct Work {
    explicit Work(std::int64_t first_frame) : frames(first_frame) {}
    schedule::ReorderBuffer<FramePlanes> frames;
    std::optional<std::int64_t> end_frame;
    std::optional<media::SegmentEncoder> encoder;
    std::vector<float> encode_s;
    std::vector<double> begin_s;
    bool busy = false;

    [[nodiscard]] bool complete() const { return end_frame && frames.next() == *end_frame; }
    [[nodiscard]] bool runnable() const { return !busy && (frames.ready() || complete()); }
  };
  void work_until_stopped();
  Work& work_of(std::int64_t chunk_index, std::int64_t first_frame);
  // The chunk once its last frame is encoded.
  std::optional<EncodedChunk> advance(std::int64_t chunk_index, Work& work, std::vector<FramePlanes> frames,
                                      bool last);

  media::EncoderConfig config_;
  Stopwatch clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::int64_t, std::shared_ptr<Work>> works_;  // a thread shares the one that it advances
  std::deque<EncodedChunk> done_;
  std::exception_ptr error_;
  bool stopped_ = false;
  std::atomic<std::int64_t> num_in_hand_ = 0;  // frames that a thread has taken and not encoded
  std::vector<std::thread> threads_;
};

}  // namespace atelier::pipeline
