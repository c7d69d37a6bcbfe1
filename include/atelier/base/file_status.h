#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace atelier {

/// What lies at a path.
struct FileStatus {
  enum class Kind {
    missing,  ///< or it may not be seen
    regular,
    folder,
    other,
  };
  Kind kind = Kind::missing;
  int error_number = 0;         ///< of a missing one: ENOENT, EACCES …
  std::int64_t size_bytes = 0;  ///< of a regular file
  /// Seconds after the epoch: network file systems keep no more.
  std::int64_t modified_s = 0;
};

/// Follows links. Tries again what may pass; throws JobError where the storage fails for longer, so that
/// nothing is taken for missing that only cannot be reached.
FileStatus file_status(const std::filesystem::path& path);

/// Paths of the regular files in a folder, in any order; links are followed, and those that lead nowhere
/// count as files, so that whoever reads them can name them. Throws UsageError where there is no such folder,
/// and JobError as file_status does.
std::vector<std::filesystem::path> regular_files(const std::filesystem::path& folder);

/// Throws UsageError for an error that is_about_path, else JobError: path cannot be read.
[[noreturn]] void throw_unreadable(const std::filesystem::path& path, int error_number);

}  // namespace atelier
