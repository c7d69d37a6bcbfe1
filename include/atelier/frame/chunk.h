#pragma once

#include <algorithm>
#include <cstdint>

namespace atelier {

/// Consecutive frames [first_frame, end_frame): the one unit of decode, transfer, compute, encode and retry.
struct Chunk {
  std::int64_t index = 0;
  std::int64_t first_frame = 0;
  std::int64_t end_frame = 0;

  [[nodiscard]] std::int64_t num_frames() const { return end_frame - first_frame; }
};

inline constexpr std::int64_t default_chunk_frames = 48;
inline constexpr std::int64_t max_chunk_bytes = std::int64_t{256} << 20;

/// The default length: 48 frames, fewer where those exceed 256 MiB, at least 1. Never depends on the number
/// of ranks.
inline std::int64_t default_chunk_length(std::int64_t bytes_per_frame) {
  return std::clamp<std::int64_t>(max_chunk_bytes / std::max<std::int64_t>(1, bytes_per_frame), 1,
                                  default_chunk_frames);
}

}  // namespace atelier
