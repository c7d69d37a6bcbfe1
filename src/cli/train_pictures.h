#pragma once

#include <filesystem>

#include "atelier/training/picture_set.h"

namespace atelier::cli {

/// Reads both folders into a set; pictures that cannot be read are named in a warning and left out. Throws
/// UsageError for a folder without readable pictures. Only in builds that have media.
training::PictureSet read_picture_set(const std::filesystem::path& photos,
                                      const std::filesystem::path& styles, int short_side_px);

}  // namespace atelier::cli
