#pragma once

#include "atelier/frame/video_format.h"
#include "atelier/media/picture.h"
#include "orientation.h"

namespace atelier::media {

/// Planes of a still picture as RGB in [0,1]: its own matrix and range, chroma interpolated for its siting,
/// transparent samples over white.
Picture to_rgb(const VideoFormat& format, const std::byte* planes);

/// As a viewer shows it.
Picture oriented(Picture picture, Orientation orientation);

}  // namespace atelier::media
