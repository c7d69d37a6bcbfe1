#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "atelier/media/encoder.h"
#include "atelier/media/input_info.h"
#include "libav.h"
#include "output_streams.h"

namespace atelier::media {

/// What a file was made from.
struct GivenFile {
  const InputInfo& input;         ///< with what the styled stream and its first frame have
  const EncoderConfig& encoder;   ///< of the styled stream
  const AVFormatContext& output;  ///< as the muxer got it: copied streams have all that the input's have
  const OutputStreams& streams;   ///< of output
  bool is_whole = true;  ///< false: a file of the first packets only, where streams may still be empty
};

struct Losses {
  std::vector<std::string> items;  ///< a few words each: "captions of the frames", "2 chapters"
  std::set<int> frame_kinds;       ///< AVFrameSideDataType of those that are the frames'
};

/// Opens a finished file and compares what is in it with what was given: metadata, chapters, programmes,
/// dispositions, side data of streams and of the first frame, transparency, colour, and what Matroska has
/// beyond that. What has no name of ours is called as FFmpeg calls it. Nothing is lost in a container that
/// FFmpeg only writes.
Losses losses_in_file(const std::filesystem::path& file, const GivenFile& given);

/// One sentence; empty for no items.
std::string loss_sentence(const std::string& container, const std::vector<std::string>& items);

}  // namespace atelier::media
