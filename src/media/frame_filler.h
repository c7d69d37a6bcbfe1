#pragma once

#include "atelier/media/encoder.h"
#include "libav.h"

namespace atelier::media {

/// Makes the AVFrames that an encoder takes from frames in VideoFormat's planes, converting to the encoder's
/// pixel format where it differs.
class FrameFiller {
 public:
  explicit FrameFiller(const EncoderConfig& config);
  /// Throws JobError if the frame's size is not that of config.input.
  FramePtr fill(const FramePlanes& frame);

 private:
  [[nodiscard]] FramePtr new_frame(int pixel_format) const;

  EncoderConfig config_;
  int planar_format_;
  int encoder_format_;
  ScalerPtr scaler_;  ///< null: the encoder takes the planes as they are
};

}  // namespace atelier::media
