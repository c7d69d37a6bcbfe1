#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "atelier/frame/frame.h"
#include "atelier/media/packet_chunk.h"

namespace atelier::media {

/// Decodes chunks of packets (PacketReader), each by itself, with one thread: the same frames that a
/// VideoReader gives, or a fault.
class PacketDecoder {
 public:
  /// setup: a packed DecoderSetup. Throws JobError for other bytes, UsageError without a decoder.
  explicit PacketDecoder(std::span<const std::byte> setup);
  ~PacketDecoder();
  PacketDecoder(PacketDecoder&&) noexcept;
  PacketDecoder& operator=(PacketDecoder&&) noexcept;

  /// Takes a frame; false: no more are wanted.
  using Sink = std::function<bool(FramePlanes)>;
  struct Outcome {
    std::string fault;  ///< why the frames are not surely right, a clause; empty: all came, and are right
    std::int64_t num_decoded_frames = 0;  ///< also those before the chunk
  };
  /// Gives the chunk's frames in output order as they are decoded: at a fault some of them have been given.
  /// chunk: packed. Throws JobError for other bytes.
  Outcome decode(std::span<const std::byte> chunk, const Sink& sink);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atelier::media
