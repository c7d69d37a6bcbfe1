#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "libav.h"

namespace atelier::media {

/// What speaks for a video stream as the one that a player would show.
struct StreamCandidate {
  int index = 0;  ///< as ffprobe shows it
  bool has_frames = true;
  bool is_cover = false;  ///< cover art or thumbnails
  bool is_default = false;
  bool is_with_sound = false;  ///< in a programme with sound
  std::int64_t num_pixels = 0;
};

struct StreamChoice {
  int index = -1;      ///< -1: there is none
  std::string reason;  ///< clauses such as "the largest"; empty: there was no choice
};

/// The one that has frames, is the default, is with the sound, is the largest, comes first: what stands first
/// here decides first. Covers are never chosen.
StreamChoice choose_stream(const std::vector<StreamCandidate>& candidates);

/// The stream of an opened file to style: wanted (an index as ffprobe shows it), else that of choose_stream.
/// Where the header leaves it open, the file's first seconds are read, so that the same file always gives the
/// same stream. Throws UsageError for a file without video, and where wanted is no video stream.
StreamChoice choose_styled_stream(const std::filesystem::path& path, const AVFormatContext& input,
                                  std::optional<int> wanted);

}  // namespace atelier::media
