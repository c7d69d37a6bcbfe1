#pragma once

#include <cstddef>
#include <string>

namespace atelier {

enum class ColorModel { gray, yuv, rgb };
enum class ColorRange { limited, full };
/// Where a chroma sample sits among its luma samples (H.273 ChromaLocType order).
enum class ChromaSiting { left, center, top_left, top, bottom_left, bottom };

/// What the planes of every frame of one video look like.
///
/// Planes are tight (no row padding), one component each, in the order Y, U, V or R, G, B or grey, then alpha
/// if there is one. Samples are 8 bit when bit_depth is 8, else 16-bit little-endian words with bit_depth
/// used bits.
struct VideoFormat {
  int width_px = 0;
  int height_px = 0;
  ColorModel model = ColorModel::yuv;
  int bit_depth = 8;      ///< 8 to 16
  int log2_chroma_w = 1;  ///< yuv only: chroma plane width = ceil(width / 2^log2_chroma_w)
  int log2_chroma_h = 1;
  bool has_alpha = false;
  ColorRange range = ColorRange::limited;
  int matrix_coefficients = 1;  ///< H.273 MatrixCoefficients, resolved: never 2 (unspecified) for yuv
  ChromaSiting siting = ChromaSiting::left;
  std::string pixel_format;  ///< FFmpeg's name of the decoded format, for messages and encoder choice

  bool operator==(const VideoFormat&) const = default;
};

int num_planes(const VideoFormat& format);
int plane_width_px(const VideoFormat& format, int plane);
int plane_height_px(const VideoFormat& format, int plane);
/// 1 or 2.
int bytes_per_sample(const VideoFormat& format);
std::size_t plane_bytes(const VideoFormat& format, int plane);
/// Offset of a plane in a frame's buffer.
std::size_t plane_offset_bytes(const VideoFormat& format, int plane);
/// All planes together.
std::size_t frame_bytes(const VideoFormat& format);

}  // namespace atelier
