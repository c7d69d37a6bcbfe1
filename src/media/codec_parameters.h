#pragma once

#include "atelier/media/packet_chunk.h"
#include "libav.h"

namespace atelier::media {

/// parameters, extradata and side_data of a setup.
void store_codec_parameters(const AVCodecParameters& codec, DecoderSetup& setup);
/// What store_codec_parameters stored. Throws JobError for a setup that it did not make.
CodecParametersPtr restore_codec_parameters(const DecoderSetup& setup);

}  // namespace atelier::media
