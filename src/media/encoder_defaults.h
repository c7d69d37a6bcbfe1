#pragma once

#include "atelier/media/encoder.h"
#include "libav.h"

namespace atelier::media {

/// FFmpeg's encoder for the name that a user gives ("x264", "hevc", "av1", "libsvtav1" …).
/// Throws UsageError for an unknown name, or one of no video encoder.
const AVCodec& find_encoder(const std::string& name);

/// Fills config.options and num_threads from request: the defaults of ours for the codec, then what the user
/// asked for. frame_timecodes: frames have some. Throws UsageError for a preset, crf or option that the
/// encoder does not have.
void choose_options(const AVCodec& codec, const EncodeRequest& request, bool frame_timecodes,
                    EncoderConfig& config);

}  // namespace atelier::media
