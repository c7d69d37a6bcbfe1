#pragma once

#include "atelier/media/encoder.h"

namespace atelier::pipeline {

/// Lossless, of grey frames with 8 bits.
inline media::EncoderConfig gray_encoder(int width_px, int height_px) {
  media::EncoderConfig encoder;
  encoder.encoder = "ffv1";
  encoder.pixel_format = "gray";
  encoder.input.model = ColorModel::gray;
  encoder.input.width_px = width_px;
  encoder.input.height_px = height_px;
  encoder.input.range = ColorRange::full;
  encoder.input.pixel_format = "gray";
  encoder.time_base = {1, 25};
  encoder.frame_rate = {25, 1};
  return encoder;
}

}  // namespace atelier::pipeline
