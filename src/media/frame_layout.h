#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "atelier/base/buffer.h"
#include "atelier/frame/video_format.h"
#include "libav.h"

namespace atelier::media {

/// What the planes of a decoded frame become: layout, range, matrix and siting resolved.
VideoFormat format_of(const AVFrame& frame, AVCodecID codec);

/// Siting by FFmpeg's tag (AVChromaLocation); where it says nothing, the codec's usual one.
ChromaSiting siting_of(int chroma_location_tag, AVCodecID codec);

/// One plane in memory.
struct PlaneView {
  std::uint8_t* data = nullptr;
  std::ptrdiff_t row_bytes = 0;
};
using PlaneViews = std::array<PlaneView, 4>;

/// The tight planes of a frame's buffer, as VideoFormat orders them.
PlaneViews tight_planes(const VideoFormat& format, std::byte* data);
/// The planes of a frame in planar_pixel_format(format), as VideoFormat orders them.
PlaneViews planes_of(const VideoFormat& format, AVFrame& frame);

/// False for Bayer, XYZ and the like, which only swscale can turn into planes.
bool can_copy_samples(const AVFrame& frame);

/// Copies the samples of a decoded frame of any pixel format into planes of layout, which is that of
/// format_of(frame). Exact for whole numbers; float samples are clamped to [0, 1].
/// Throws UsageError where can_copy_samples is false.
void copy_samples(const AVFrame& frame, const VideoFormat& layout, const PlaneViews& planes);

}  // namespace atelier::media
