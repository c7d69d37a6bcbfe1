#pragma once

#include <cstddef>
#include <vector>

#include "libav.h"
#include "side_data_entries.h"

namespace atelier::media {

/// The frame's side data that travels with it (A53 captions, HDR10+, timecode, …), as bytes; empty: none.
std::vector<std::byte> pack_frame_side_data(const AVFrame& frame);
void unpack_frame_side_data(const std::vector<std::byte>& bytes, AVFrame& frame);

/// Per-stream side data as (type, bytes) pairs (display matrix, mastering display, content light, ICC …).
std::vector<std::byte> pack_stream_side_data(const AVStream& stream);
/// The same with what only the frame has (mastering display in HEVC SEI, EXIF orientation, ICC in PNG …).
std::vector<std::byte> add_frame_to_stream_side_data(const std::vector<std::byte>& stream_side_data,
                                                     const AVFrame& frame);

}  // namespace atelier::media
