#pragma once

#include "atelier/frame/video_format.h"
#include "libav.h"

extern "C" {
#include <libavutil/pixfmt.h>
}

namespace atelier::media {

/// FFmpeg's planar little-endian format whose planes are those of VideoFormat (gray, gray10le, yuv420p,
/// yuv422p10le, gbrp, gbrap, yuva444p12le …); note that FFmpeg's gbrp stores G, B, R while VideoFormat orders
/// R, G, B. Throws UsageError where there is none.
AVPixelFormat planar_pixel_format(const VideoFormat& format);

/// Fills model, depth, subsampling and alpha for any format FFmpeg decodes to (nv12 and yuyv422 as their
/// planar twins, palette and packed RGB as planar RGB, float as 16 bit). Other fields stay.
void set_layout(AVPixelFormat decoded, VideoFormat& format);

/// Index in AVFrame::data of VideoFormat's plane.
int av_plane(const VideoFormat& format, int plane);

}  // namespace atelier::media
