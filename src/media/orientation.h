#pragma once

#include <cstddef>
#include <span>

#include "libav.h"

namespace atelier::media {

/// Quarter turns and mirrors. The upright picture's sample (x, y) is the stored one's (fx, fy), where
/// fx = width - 1 - x if flip_x, else x, and fy alike, swapped if transposed; the size is the upright one's.
struct Orientation {
  bool transposed = false;
  bool flip_x = false;
  bool flip_y = false;

  [[nodiscard]] bool is_upright() const { return !transposed && !flip_x && !flip_y; }
};

/// The nearest quarter turn of a display matrix (FFmpeg's libavutil/display.h: nine words of 32 bit in the
/// machine's order); upright where there are fewer bytes.
Orientation orientation_of(std::span<const std::byte> display_matrix);
/// As the frame's display matrix says, else its EXIF orientation.
Orientation orientation_of(const AVFrame& frame);

/// The EXIF orientation (1 to 8) in a PNG or TIFF file, which FFmpeg's decoders pass over; 1 where it has
/// none.
int stored_orientation(std::span<const std::byte> file);
/// The display matrix for an EXIF orientation from 1 to 8.
void put_display_matrix(int exif_orientation, AVPacket& packet);

}  // namespace atelier::media
