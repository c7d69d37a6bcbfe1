#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "atelier/base/hash.h"
#include "atelier/base/stopwatch.h"
#include "atelier/frame/chunk.h"
#include "atelier/media/video_reader.h"
#include "atelier/pipeline/blocking_queue.h"

namespace atelier::pipeline {

/// A chunk that an earlier start has finished, by its index.
struct FinishedChunk {
  Chunk chunk;
  std::uint64_t input_hash = 0;
};
using FinishedChunks = std::map<std::int64_t, FinishedChunk>;

/// Throws JobError: the input is not the one that the chunk was made from.
[[noreturn]] void throw_changed(const std::filesystem::path& input, const Chunk& chunk);

struct DecodeStageConfig {
  std::size_t capacity_frames = 2;
  std::int64_t chunk_frames = 1;
  FinishedChunks finished = {};  ///< their frames are not given, only checked against the hash
  Stopwatch clock = {};          ///< for FrameInfo::decoded_s
};

/// Decodes in a thread of its own, a bounded number of frames ahead.
class DecodeStage {
 public:
  /// The reader is used by this stage alone until the destructor has returned.
  DecodeStage(media::VideoReader& reader, DecodeStageConfig config);
  ~DecodeStage();
  DecodeStage(const DecodeStage&) = delete;
  DecodeStage& operator=(const DecodeStage&) = delete;

  /// The next frame in output order, or nullopt if none is ready. Never waits. Throws what decoding threw.
  std::optional<FramePlanes> try_pop();
  /// No frame will come any more. Throws what decoding threw, and JobError where the input is not the one
  /// that the finished chunks were made from.
  [[nodiscard]] bool exhausted();
  /// XXH3 of the chunk's frames as decoded, with their times; once for each chunk, after its last frame came.
  std::uint64_t take_hash(std::int64_t chunk_index);
  /// Known once exhausted; empty before.
  [[nodiscard]] media::Damage damage() const;

 private:
  void decode();
  bool handle(FramePlanes frame);
  void end_chunk();

  media::VideoReader& reader_;
  DecodeStageConfig config_;
  BlockingQueue<FramePlanes> frames_;
  Chunk chunk_;  // being decoded
  Hasher hasher_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::int64_t, std::uint64_t> hashes_;
  std::exception_ptr error_;
  media::Damage damage_;
  std::thread thread_;
};

}  // namespace atelier::pipeline
