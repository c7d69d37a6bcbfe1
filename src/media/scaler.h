#pragma once

#include "atelier/frame/video_format.h"
#include "libav.h"

extern "C" {
#include <libavutil/pixfmt.h>
}

namespace atelier::media {

/// swscale from one size and pixel format to another, by the matrix, range and chroma siting of both sides;
/// the same bits on every processor. Throws UsageError where swscale cannot.
ScalerPtr make_scaler(AVPixelFormat from_pixels, const VideoFormat& from, AVPixelFormat to_pixels,
                      const VideoFormat& to);

}  // namespace atelier::media
