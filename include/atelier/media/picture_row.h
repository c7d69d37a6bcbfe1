#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace atelier::media {

/// The pictures of a folder in natural order of their names: all files with a picture's ending, in capitals
/// or not, and those with no known ending that begin as a picture does. Hidden files are left out. Throws
/// UsageError for what is no folder, JobError where reading it fails midway.
std::vector<std::filesystem::path> list_pictures(const std::filesystem::path& folder);

/// The pictures of a folder or of a pattern with one number (`f_%04d.png`), in natural order; a single
/// picture file is a row of one; empty: path is none of these but may be a video file. Throws UsageError for
/// a folder or a pattern without pictures, and for a file that is no media file.
std::vector<std::filesystem::path> picture_row(const std::filesystem::path& path);

/// Which numbers the names of a row leave out: "frames 3 and 13 to 19 are missing (8 in all)". Empty where
/// none is missing, and where the names do not count, or not evenly.
std::string missing_numbers(const std::vector<std::filesystem::path>& row);

}  // namespace atelier::media
