#pragma once

// What media tests share: running ffmpeg and ffprobe, and folders for what they make.

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "atelier/base/handle.h"
#include "atelier/base/text.h"

namespace atelier::test {

struct CommandResult {
  int exit_code = -1;
  std::string output;  ///< stdout, and stderr where the command line says 2>&1
};

/// Runs a shell command with stdin from /dev/null.
inline CommandResult run_command(const std::string& command) {
  CommandResult result;
  std::FILE* pipe = popen(("timeout 120 sh -c '" + command + "' </dev/null").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen failed: " + command);
  std::array<char, 4096> block{};
  std::size_t count = 0;
  while ((count = std::fread(block.data(), 1, block.size(), pipe)) > 0)
    result.output.append(block.data(), count);
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

/// Runs `ffmpeg ARGUMENTS`, quietly and overwriting; arguments hold no single quote. Throws when it fails.
inline void ffmpeg(const std::string& arguments) {
  const CommandResult result = run_command("ffmpeg -nostdin -v error -y " + arguments + " 2>&1");
  if (result.exit_code != 0) throw std::runtime_error("ffmpeg " + arguments + ": " + result.output);
}

/// The lines that `ffprobe ARGUMENTS` prints, without empty ones.
inline std::vector<std::string> ffprobe_lines(const std::string& arguments) {
  std::vector<std::string> lines;
  for (const std::string& line : split(run_command("ffprobe -v quiet " + arguments).output, '\n'))
    if (!line.empty()) lines.push_back(line);
  return lines;
}

/// best_effort_timestamp of every frame of a stream ("v:0"), as `ffprobe -show_frames` lists them.
inline std::vector<std::int64_t> ffprobe_pts(const std::filesystem::path& path,
                                             const std::string& stream = "v:0") {
  std::vector<std::int64_t> pts;
  for (const std::string& line :
       ffprobe_lines("-select_streams " + stream +
                     " -show_entries frame=best_effort_timestamp -of csv=p=0 \"" + path.string() + "\"")) {
    const std::string number = line.substr(0, line.find(','));
    pts.push_back(number == "N/A" ? INT64_MIN : std::stoll(number));
  }
  return pts;
}

/// Gives a JPEG file an EXIF orientation (1 to 8), in a segment of its own before all others.
inline void set_orientation(const std::filesystem::path& jpeg, int orientation) {
  std::ifstream in(jpeg, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  in.close();
  // APP1 of 34 bytes, a big-endian directory at 8 of one entry: tag 274, short, one value.
  std::string segment(
      "\xFF\xE1\0\x22"
      "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0",
      36);
  segment[29] = static_cast<char>(orientation);
  bytes.insert(2, segment);
  std::ofstream(jpeg, std::ios::binary) << bytes;
}

/// A real clip of the shared folder; may be missing there.
inline std::filesystem::path shared_clip(const std::string& name) {
  return std::filesystem::path(ATELIER_SHARED_DIR) / "data" / "clips" / name;
}

}  // namespace atelier::test
