#pragma once

#include <cstdint>

#include "libav.h"

namespace atelier::media {

/// What the Matroska muxer of this FFmpeg notes as the codec's delay: that of Opus, later releases of all
/// codecs.
std::int64_t codec_delay_ms(const AVCodecParameters& codec);

/// The part of it that the muxer leaves to its caller to add to the packets' times.
std::int64_t unapplied_codec_delay_ms(const AVCodecParameters& codec);

}  // namespace atelier::media
