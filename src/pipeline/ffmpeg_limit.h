#pragma once

#include <filesystem>
#include <vector>

#include "atelier/frame/frame.h"
#include "atelier/media/encoder.h"
#include "atelier/pipeline/run_config.h"

namespace atelier::pipeline {

/// Frames/s at which the ffmpeg program decodes the first frames of a video; 0 where it cannot be run.
double ffmpeg_decode_frames_per_s(const RunConfig& run, std::size_t num_frames, int num_threads);

/// Frames/s at which the ffmpeg program encodes these frames with the same encoder, options and threads; 0
/// where it cannot be run. They lie in a file below folder meanwhile.
double ffmpeg_encode_frames_per_s(const std::vector<FramePlanes>& frames, const media::EncoderConfig& encoder,
                                  const std::filesystem::path& folder);

}  // namespace atelier::pipeline
