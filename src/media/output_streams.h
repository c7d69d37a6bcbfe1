#pragma once

#include <string>
#include <vector>

#include "copied_streams.h"
#include "libav.h"

namespace atelier::media {

struct OutputStreams {
  AVStream* styled = nullptr;
  std::vector<int> of_input;  ///< by input stream: the index in the output, -1: left out
};

/// Adds the streams of the output, in the order of the input: the styled one and every other that the
/// container can hold. What is left out gets a sentence in warnings.
OutputStreams add_streams(const MuxerConfig& config, const AVCodecParameters& encoder, CopiedStreams& copied,
                          AVFormatContext& output, std::vector<std::string>& warnings);

/// Global metadata and chapters, these moved by shift_us and cut as the video.
void copy_metadata(const AVFormatContext& input, const MuxerConfig& config, std::int64_t shift_us,
                   AVFormatContext& output);

}  // namespace atelier::media
