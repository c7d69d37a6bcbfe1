#pragma once

#include <string>

#include "atelier/media/encoder.h"

namespace atelier::media {

/// What of this processor the encoder's bits depend on: its SIMD level, such as "AVX2". Empty: nothing, as
/// with all encoders that are known to give the same bits with and without SIMD.
std::string encoder_processor(const EncoderConfig& config);

/// Whether encoder_processor() is empty on every processor.
bool any_processor_encodes_alike(const EncoderConfig& config);

}  // namespace atelier::media
