#pragma once

#include <span>

#include "atelier/base/hash.h"
#include "atelier/frame/frame.h"

namespace atelier {

/// Adds a decoded frame to the hash of its chunk: samples, time and side data. The hash of a chunk is that of
/// its frames in output order, wherever they were decoded.
inline void add_to_hash(Hasher& hasher, const FramePlanes& frame) {
  hasher.update(frame.planes.bytes());
  hasher.update(std::as_bytes(std::span(&frame.info.pts_ticks, 1)));
  hasher.update(frame.info.side_data);
}

}  // namespace atelier
