#pragma once

#include "atelier/frame/video_format.h"
#include "atelier/media/picture.h"
#include "libav.h"

namespace atelier::media {

/// Planes of a still picture as RGB in [0,1]: its own matrix and range, chroma interpolated for its siting,
/// transparent samples over white.
Picture to_rgb(const VideoFormat& format, const std::byte* planes);

/// Turned and mirrored as a display matrix (such as EXIF orientation makes) says.
Picture oriented(Picture picture, const AVFrame& frame);

}  // namespace atelier::media
