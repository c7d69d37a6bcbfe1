#pragma once

#include <string>
#include <vector>

#include "atelier/media/encoder.h"
#include "libav.h"

namespace atelier::media {

/// Sets pixel_format and the colour tags that follow from it: the source's own format where the encoder has
/// it, else the one that loses least, with a sentence in warnings.
/// wanted: FFmpeg's name as the user gave it, or empty. Throws UsageError if the encoder does not have it.
void choose_pixel_format(const AVCodec& codec, const std::string& wanted, EncoderConfig& config,
                         std::vector<std::string>& warnings);

}  // namespace atelier::media
