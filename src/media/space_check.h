#pragma once

#include <cstdint>
#include <filesystem>

namespace atelier::media {

struct SpaceNeed {
  std::int64_t least_bytes = 0;     ///< no output of this job is smaller
  std::int64_t probable_bytes = 0;  ///< an estimate
};

/// Whether both folders have room for the output; on one file system it lies there twice for a while. Throws
/// UsageError where it is certain not to fit, warns where that is probable. File systems that do not tell
/// their size pass.
void check_space(const std::filesystem::path& scratch, const std::filesystem::path& output_folder,
                 const SpaceNeed& need);

}  // namespace atelier::media
