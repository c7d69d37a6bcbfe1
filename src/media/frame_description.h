#pragma once

#include "atelier/frame/frame.h"
#include "compat.h"
#include "side_data.h"

namespace atelier::media {

/// All that a decoded frame says of itself besides its samples; its number and time are the caller's.
inline void describe_frame(const AVFrame& frame, FrameInfo& info) {
  info.duration_ticks = compat::frame_duration(frame);
  info.interlaced = compat::is_interlaced(frame);
  info.top_field_first = compat::is_top_field_first(frame);
  info.repeat_pict = frame.repeat_pict;
  info.side_data = pack_frame_side_data(frame);
}

}  // namespace atelier::media
