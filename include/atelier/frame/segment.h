#pragma once

#include <cstdint>
#include <vector>

#include "atelier/frame/time_base.h"

namespace atelier {

/// One compressed frame of a segment.
struct SegmentPacket {
  std::vector<std::byte> data;
  std::int64_t pts_ticks = 0;       ///< in the input stream's time base
  std::int64_t duration_ticks = 0;  ///< 0: unknown
  bool key = false;
  std::vector<std::byte> side_data;  ///< packet side data the muxer needs, in media's own coding
};

/// A chunk after encoding: a closed GOP from an encoder of its own. Packets are in decoding order.
struct Segment {
  std::int64_t chunk_index = 0;
  std::int64_t first_frame = 0;
  std::vector<SegmentPacket> packets;
  std::vector<std::byte> extradata;  ///< the codec's global header; equal in all segments of a job
  double encode_s = 0;
};

/// Of all packets.
inline std::int64_t packet_bytes(const Segment& segment) {
  std::int64_t sum_bytes = 0;
  for (const SegmentPacket& packet : segment.packets)
    sum_bytes += static_cast<std::int64_t>(packet.data.size());
  return sum_bytes;
}

}  // namespace atelier
