#include "atelier/media/picture_row.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <regex>
#include <string_view>

#include "atelier/base/error.h"
#include "atelier/base/file_status.h"
#include "atelier/base/natural_order.h"
#include "atelier/base/text.h"
#include "input.h"

namespace atelier::media {
namespace fs = std::filesystem;
namespace {

std::string quoted(const fs::path& path) {
  return concat("'", path.string(), "'");
}

bool has_picture_ending(const fs::path& path) {
  static constexpr std::array endings{".jpg",  ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp",  ".tif",
                                      ".tiff", ".ppm",  ".pgm", ".pbm",  ".pnm", ".pam",  ".gif",  ".tga",
                                      ".jp2",  ".jxl",  ".exr", ".dpx",  ".qoi", ".avif", ".heic", ".heif"};
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

/// The files of a folder that wanted(path) names, in natural order.
template <typename Wanted>
std::vector<fs::path> files_of(const fs::path& folder, const Wanted& wanted) {
  std::vector<fs::path> files = regular_files(folder);
  std::erase_if(files, [&](const fs::path& path) { return !wanted(path); });
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    return natural_less(a.filename().native(), b.filename().native());
  });
  return files;
}

/// "f_%04d.png" -> "f_", 4, ".png"; false when the name holds no pattern.
struct Pattern {
  std::string before;
  std::size_t min_digits = 1;
  std::string after;
};
bool parse_pattern(const std::string& name, Pattern& pattern) {
  static const std::regex number("([^%]*)%(?:0([1-9]))?d([^%]*)");
  std::smatch match;
  if (!std::regex_match(name, match, number)) return false;
  pattern = {match[1], match[2].matched ? static_cast<std::size_t>(std::stoi(match[2])) : 1, match[3]};
  return true;
}

bool matches(const Pattern& pattern, std::string_view name) {
  if (name.size() <= pattern.before.size() + pattern.after.size() || !name.starts_with(pattern.before) ||
      !name.ends_with(pattern.after))
    return false;
  name.remove_prefix(pattern.before.size());
  name.remove_suffix(pattern.after.size());
  // printf pads to min_digits and never more.
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
         name.size() >= pattern.min_digits && (name.size() == pattern.min_digits || name.front() != '0');
}

}  // namespace

std::vector<fs::path> list_pictures(const fs::path& folder) {
  return files_of(folder, [](const fs::path& path) {
    if (path.filename().native().front() == '.') return false;
    return has_picture_ending(path) || begins_like_picture(path);
  });
}

std::vector<fs::path> picture_row(const fs::path& path) {
  const FileStatus::Kind kind = file_status(path).kind;
  if (kind == FileStatus::Kind::folder) {
    std::vector<fs::path> pictures = list_pictures(path);
    if (pictures.empty())
      throw UsageError(concat("the folder ", quoted(path), " holds no pictures"), "",
                       "Give a folder of .png or .jpg files, or a video file");
    return pictures;
  }
  Pattern pattern;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (kind == FileStatus::Kind::missing && parse_pattern(path.filename().string(), pattern) &&
      file_status(folder).kind == FileStatus::Kind::folder) {
    std::vector<fs::path> pictures =
        files_of(folder, [&](const fs::path& file) { return matches(pattern, file.filename().native()); });
    if (pictures.empty())
      throw UsageError(concat("no picture matches ", quoted(path)), "", "Check folder and name");
    return pictures;
  }
  if (is_single_picture(path)) return {path};
  return {};
}

}  // namespace atelier::media
