#pragma once

#include <string>
#include <vector>

#include "atelier/io/segment_file.h"

namespace atelier::io {

inline std::vector<std::byte> some_bytes(std::size_t size, int seed) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::byte>(i * 37 + static_cast<std::size_t>(seed));
  return bytes;
}

/// A small segment of chunk_index with three frames; every field has a value of its own.
inline StoredSegment example_segment(std::int64_t chunk_index = 7, Hash128 fingerprint = {11, 12}) {
  StoredSegment stored;
  stored.fingerprint = fingerprint;
  stored.input_hash = 0xfedcba9876543210U;
  stored.reader_state = some_bytes(5, 1);
  stored.processor = {"1f2e", "CPU of a test"};
  stored.segment.chunk_index = chunk_index;
  stored.segment.first_frame = chunk_index * 3;
  stored.segment.extradata = some_bytes(9, 2);
  stored.segment.encode_s = 1.25;
  for (int i = 0; i < 3; ++i) {
    const float part = 0.001F * static_cast<float>(i + 1);
    stored.frames.push_back({-40 + i * 1001, i + 1, part, part * 2, part * 3, part * 4, part * 5});
    stored.segment.packets.push_back({some_bytes(static_cast<std::size_t>(20 - i), i), 1001 * (2 - i), 1001,
                                      i == 0, some_bytes(static_cast<std::size_t>(i), 3)});
  }
  return stored;
}

}  // namespace atelier::io
