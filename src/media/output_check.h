#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "libav.h"

namespace atelier::media {

/// Opens the finished file and compares it with what the muxer was given: a sentence that names metadata,
/// rotation and the like that the container did not keep; empty: everything is there.
std::string missing_in_file(const std::filesystem::path& file, const AVFormatContext& given);

}  // namespace atelier::media
