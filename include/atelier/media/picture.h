#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "atelier/media/input_info.h"

namespace atelier::media {

/// A still picture: height x width x 3 floats, interleaved RGB in [0,1], as displayed (sRGB, not linearised).
struct Picture {
  int width_px = 0;
  int height_px = 0;
  std::vector<float> rgb;
};

inline constexpr int max_picture_side_px = 16384;

/// Any still picture that FFmpeg decodes: grey, CMYK, palette, 8 or 16 bit; transparent pixels are laid over
/// white. Throws UsageError if it is none, or larger than 16384 a side.
Picture read_picture(const std::filesystem::path& path);

/// A frame of a video as a player shows it, by the display matrix of the styled stream, to the nearest
/// quarter turn.
Picture upright(Picture picture, const InputInfo& input);

/// Writes an 8-bit RGB PNG; values are clamped to [0,1] and rounded. Throws JobError.
void write_png(const std::filesystem::path& path, const Picture& picture);

}  // namespace atelier::media
