#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "atelier/io/file_operations.h"

namespace atelier::io {

/// How much longer than the work directory's path those of files in it are, at most, in bytes.
inline constexpr std::size_t max_bytes_below_work_directory = 64;

/// Makes the folder in which a job keeps what it needs to go on after an interruption, unless it is there.
/// One that was made here has a page about.txt that says so to whoever finds it. docs/work-directory.md
/// describes the files. Throws UsageError where it cannot be made or is no folder.
void make_work_directory(const std::filesystem::path& work_dir, FileOperations& files = system_files());

/// Whose files go.
enum class RemoveFiles {
  of_all_starts,
  of_this_start,  ///< another start is still at work there
};

/// After success: removes segments, owner marks and states, and the folder if make_work_directory made it and
/// nothing else is in it. Gives the paths of what stayed, below work_dir; none: the folder is gone, or was
/// there before and is as empty as it was. Throws nothing: what cannot be removed stays.
std::vector<std::string> remove_work_directory(const std::filesystem::path& work_dir, RemoveFiles which,
                                               const std::string& start_id,
                                               FileOperations& files = system_files());

}  // namespace atelier::io
