#pragma once

#include <cstdint>
#include <string>

#include "atelier/base/buffer.h"

namespace atelier::pipeline {

/// What a worker says of a chunk that it has decoded from packets.
struct DecodedChunk {
  std::string fault;       ///< why the frames are not surely those of the whole video; empty: they are
  std::uint64_t hash = 0;  ///< of the frames (add_to_hash)
  std::int64_t num_decoded_frames = 0;  ///< also those that only led to the chunk's
};

Buffer pack(const DecodedChunk& chunk);
/// Throws JobError for bytes that pack did not make.
DecodedChunk unpack_decoded_chunk(const Buffer& bytes);

}  // namespace atelier::pipeline
