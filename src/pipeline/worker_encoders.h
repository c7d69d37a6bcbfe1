#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "atelier/frame/chunk.h"
#include "atelier/frame/frame.h"
#include "encode_stage.h"

namespace atelier::pipeline {

/// What a worker encodes: chunks that it styles, or that others do. What different ranks send of a chunk
/// comes in any order.
class WorkerEncoders {
 public:
  WorkerEncoders(const media::EncoderConfig& config, int num_threads, Stopwatch clock)
      : stage_(config, num_threads, clock) {}

  /// Where the chunk begins, and where it ends.
  void begin(std::int64_t chunk_index, std::int64_t first_frame);
  void set_end(const Chunk& chunk) { stage_.set_end(chunk); }
  /// Of a frame; both are needed.
  void add_info(std::int64_t chunk_index, FrameInfo info);
  void add_planes(std::int64_t chunk_index, std::int64_t frame_index, Buffer planes);
  /// The chunk is not wanted any more; nothing of it may come afterwards, before it begins anew.
  void drop(std::int64_t chunk_index);
  /// A chunk that is encoded.
  std::optional<EncodedChunk> try_pop();

 private:
  // A chunk on its way into the encoder.
  struct Incoming {
    std::optional<std::int64_t> first_frame;
    std::map<std::int64_t, FrameInfo> infos;  // by frame
    std::map<std::int64_t, Buffer> planes;
  };
  void pass_on(std::int64_t chunk_index, Incoming& incoming);

  EncodeStage stage_;
  std::map<std::int64_t, Incoming> incoming_;
};

}  // namespace atelier::pipeline
