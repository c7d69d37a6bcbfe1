#pragma once

#include <cstddef>
#include <vector>

#include "libav.h"

namespace atelier::media {

/// True for codecs whose decoder tells a frame's fields after those of the frames before, where the frame
/// does not tell them.
bool keeps_field_flags(AVCodecID codec);

/// What decoders hand on from frame to frame: of lasting side data all that is there, of HDR10+ and HDR Vivid
/// whether they are there. A decoder that begins midway is right only as long as this is what it was at the
/// start of the video: each change shows in the chunk in which it happens.
std::vector<std::byte> lasting_side_data(const std::vector<std::byte>& frame_side_data);

}  // namespace atelier::media
