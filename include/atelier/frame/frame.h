#pragma once

#include <cstdint>
#include <vector>

#include "atelier/base/buffer.h"

namespace atelier {

/// What is known of a frame besides its samples.
struct FrameInfo {
  std::int64_t frame_index = 0;     ///< 0, 1, 2 … in output order over the whole video
  std::int64_t pts_ticks = 0;       ///< in the input stream's time base
  std::int64_t duration_ticks = 0;  ///< 0: unknown
  bool interlaced = false;
  bool top_field_first = false;
  int repeat_pict = 0;  ///< as FFmpeg counts it: extra half-frame times
  std::vector<std::byte>
      side_data;         ///< per-frame side data (captions, HDR10+, timecode), in media's own coding
  double decode_s = 0;   ///< seconds spent decoding it
  double decoded_s = 0;  ///< when that was done, in seconds after the job's start; not sent to workers
};

/// The samples of one frame; the layout is that of the video's VideoFormat.
struct FramePlanes {
  FrameInfo info;
  Buffer planes;
};

}  // namespace atelier
