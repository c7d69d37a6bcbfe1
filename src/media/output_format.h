#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "libav.h"

namespace atelier::media {

/// The container of a file name. Throws UsageError where the name has none, or one that is no single file.
const AVOutputFormat& output_format(const std::filesystem::path& output);

/// "MP4", "MOV", "Matroska", "WebM", else FFmpeg's name.
std::string container_name(const AVOutputFormat& format);

[[nodiscard]] bool is_mov_family(const AVOutputFormat& format);  ///< MP4, MOV and their relatives
[[nodiscard]] bool is_matroska_family(const AVOutputFormat& format);

/// The codec's tag where it means the same codec in this container, else 0: the muxer's choice.
[[nodiscard]] unsigned codec_tag_for(const AVOutputFormat& format, const AVCodecParameters& codec);

/// How a file in this container with one such stream begins, or nullopt where it cannot be begun (it is
/// tried, in memory).
[[nodiscard]] std::optional<std::vector<std::uint8_t>> trial_header(const AVOutputFormat& format,
                                                                    const AVCodecParameters& codec);

/// True if there is such a header.
[[nodiscard]] bool header_works(const AVOutputFormat& format, const AVCodecParameters& codec);

/// True for MP4 and MOV where a key of the file's metadata is none of those with an atom of its own, so that
/// all of them must be written by name.
bool needs_metadata_keys(const AVFormatContext& output);

}  // namespace atelier::media
