#pragma once

#include <array>

#include "atelier/frame/video_format.h"

namespace atelier::tensor {

/// The affine map between the three component planes of a video format, in code values, and R'G'B' in [0,1]
/// (ITU-T H.273, clause 8.3). Components in the order Y, Cb, Cr (or Y, Cg, Co; or R, G, B).
struct ColorMatrix {
  std::array<double, 3> offset;                   ///< code value of a component that is 0
  std::array<std::array<double, 3>, 3> to_rgb;    ///< rgb[c] = Σ to_rgb[c][p] * (code[p] - offset[p])
  std::array<std::array<double, 3>, 3> from_rgb;  ///< code[p] = offset[p] + Σ from_rgb[p][c] * rgb[c]
};

/// For yuv and rgb formats. Grey is converted as the Y of a yuv format.
///
/// MatrixCoefficients 1, 4, 5, 6, 7, 9 are the linear Y'CbCr ones, 0 is G, B, R in the planes Y, Cb, Cr, and
/// 8 is YCgCo. The rest are not linear in R'G'B', or need the primaries; they get the nearest of these: 10
/// (BT.2020 constant luminance), 11 (SMPTE ST 2085), 13 (constant luminance by primaries) and 14 (ICtCp) that
/// of 9, 12 (by primaries) and all else that of 1. The way back is its exact inverse in any case.
ColorMatrix color_matrix(const VideoFormat& format);

}  // namespace atelier::tensor
