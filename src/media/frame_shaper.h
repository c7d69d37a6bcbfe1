#pragma once

#include <utility>
#include <vector>

#include "frame_layout.h"
#include "frame_properties.h"

namespace atelier::media {

/// Brings every decoded frame to the layout, colour and shape of the first, or to a height the user asked
/// for.
class FrameShaper {
 public:
  /// height_px 0: as it is; else the width follows the display aspect of frame and is even.
  FrameShaper(const AVFrame& first, AVCodecID codec, int height_px);
  /// first: of the first frame; format: of what planes() gives.
  FrameShaper(FrameProperties first, VideoFormat format, AVCodecID codec)
      : codec_(codec), first_(std::move(first)), format_(std::move(format)) {}

  [[nodiscard]] const VideoFormat& format() const { return format_; }
  /// What is not as in the first frame.
  [[nodiscard]] std::vector<PropertyChange> changes(const AVFrame& frame) const;
  /// Tight planes in format(). A frame of another shape than the first's has black borders, so that a viewer
  /// who takes the first one's sample aspect ratio for all sees it as it is.
  /// Throws UsageError for a pixel format that cannot be scaled.
  Buffer planes(const AVFrame& frame);

 private:
  /// Part of the canvas that a frame fills, in luma samples.
  struct Content {
    int x = 0;
    int y = 0;
    VideoFormat format;  ///< format_ of this size
  };
  /// From one layout to another; made anew where these change.
  class Scaling {
   public:
    FramePtr scale(const AVFrame& frame, const VideoFormat& from, const VideoFormat& to);

   private:
    VideoFormat from_;
    VideoFormat to_;
    ScalerPtr scaler_;
  };

  [[nodiscard]] Content content_of(const FrameProperties& own) const;
  FramePtr scaled(const AVFrame& frame, VideoFormat from, const VideoFormat& to);

  AVCodecID codec_;
  FrameProperties first_;
  VideoFormat format_;  ///< of what planes() gives
  Scaling scaling_;
  Scaling upsampling_;
};

}  // namespace atelier::media
