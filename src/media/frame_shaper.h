#pragma once

#include <utility>

#include "frame_layout.h"

namespace atelier::media {

/// Brings every decoded frame to the layout of the first, or to a height the user asked for.
class FrameShaper {
 public:
  /// height_px 0: as it is; else the width follows the display aspect of frame and is even.
  FrameShaper(const AVFrame& first, AVCodecID codec, int height_px);
  /// first: of the first frame; format: of what planes() gives.
  FrameShaper(VideoFormat first, VideoFormat format, AVCodecID codec)
      : codec_(codec), first_(std::move(first)), format_(std::move(format)) {}

  [[nodiscard]] const VideoFormat& format() const { return format_; }
  /// True where the frame has another size or pixel format than the first.
  [[nodiscard]] bool differs(const AVFrame& frame) const;
  /// Tight planes in format(). Throws UsageError for a pixel format that cannot be scaled.
  Buffer planes(const AVFrame& frame);

 private:
  void scale(const AVFrame& frame, const VideoFormat& from, AVFrame& to);

  AVCodecID codec_;
  VideoFormat first_;   ///< of the decoded frames
  VideoFormat format_;  ///< of what planes() gives
  VideoFormat scaled_from_;
  ScalerPtr scaler_;
};

}  // namespace atelier::media
