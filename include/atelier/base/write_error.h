#pragma once

#include <filesystem>
#include <string>

namespace atelier {

/// The text of an errno that a write gave; for EFBIG also which limit that is.
std::string write_error_text(int error_number);

/// What to do about it, for the end of an error line of a job that can be resumed. Only of what may pass it
/// says to run the same command again. option, such as "--output", chooses the place; otherwise is for errors
/// of the name itself.
std::string write_error_advice(int error_number, const std::string& option, const std::string& otherwise);

/// Tries whether a file of this name can be made and removed: it has one byte, and is closed in between,
/// since an object store makes it only then. What may pass is tried again. 0, or errno: EEXIST where there is
/// one.
int try_new_file(const std::filesystem::path& path);

/// The longest name that a file in this folder may have, in bytes; 0 where the file system does not tell.
std::size_t max_name_bytes(const std::filesystem::path& folder);

/// The file that a path means: where it is a symbolic link, possibly to further ones, what the last of them
/// names, with a whole path without links; that need not exist, but its folder must. Any other path is given
/// back as it is. Throws UsageError, what being such as "output", for links in a circle or into nowhere.
std::filesystem::path behind_links(const std::filesystem::path& path, const std::string& what);

}  // namespace atelier
