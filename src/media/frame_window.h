#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "packet_source.h"

namespace atelier::media {

/// The part of a stream that a job wants: frames whose pts lie in [begin, end).
struct FrameWindow {
  std::int64_t stream_start = 0;
  std::int64_t begin = INT64_MIN;
  std::int64_t end = INT64_MAX;
};

/// start_s: relative to the start of the stream, 0: from its first frame; duration_s 0: to the end.
inline FrameWindow frame_window(const PacketSource& packets, double start_s, double duration_s) {
  const double tick_s = av_q2d(packets.time_base());
  const auto ticks = [&](double time_s) {
    return static_cast<std::int64_t>(std::ceil(time_s / tick_s - 1e-6));
  };
  FrameWindow window;
  const AVStream* stream = packets.stream();
  if (stream != nullptr && stream->start_time != AV_NOPTS_VALUE) window.stream_start = stream->start_time;
  if (start_s > 0) window.begin = window.stream_start + ticks(start_s);
  if (duration_s > 0) window.end = window.stream_start + ticks(std::max(0.0, start_s) + duration_s);
  return window;
}

}  // namespace atelier::media
