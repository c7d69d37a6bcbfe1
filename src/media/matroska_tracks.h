#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace atelier::media {

/// What a Matroska file says of a track and not every FFmpeg shows (RFC 9559, section 5.1.4).
struct MatroskaTrack {
  std::uint64_t number = 0;
  std::string language_bcp47;           ///< "de-CH"; empty: none
  bool has_alpha = false;               ///< transparency beside the packets
  std::array<std::uint64_t, 4> crop{};  ///< top, bottom, left, right, in pixels of the coded picture
};

/// The tracks that FFmpeg makes streams of, in their order. Empty for other files, and where the tracks do
/// not stand before the first cluster. Throws JobError where the storage fails.
std::vector<MatroskaTrack> read_matroska_tracks(const std::filesystem::path& file);

}  // namespace atelier::media
