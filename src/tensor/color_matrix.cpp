#include "color_matrix.h"

#include <cmath>

#include "atelier/frame/luma_weights.h"

namespace atelier::tensor {
namespace {

using Matrix = std::array<std::array<double, 3>, 3>;

// E'Y, E'PB, E'PR from E'R, E'G, E'B and back.
void set_ycbcr(LumaWeights k, Matrix& forward, Matrix& backward) {
  const double green = 1 - k.red - k.blue;
  const double to_pb = 0.5 / (1 - k.blue);
  const double to_pr = 0.5 / (1 - k.red);
  forward = {{{k.red, green, k.blue},
              {-k.red * to_pb, -green * to_pb, 0.5},
              {0.5, -green * to_pr, -k.blue * to_pr}}};
  backward = {
      {{1, 0, 1 / to_pr}, {1, -k.blue / (to_pb * green), -k.red / (to_pr * green)}, {1, 1 / to_pb, 0}}};
}

}  // namespace

ColorMatrix color_matrix(const VideoFormat& format) {
  const bool limited = format.range == ColorRange::limited;
  const double unit = std::ldexp(1.0, format.bit_depth - 8);  // one 8-bit code value
  const double full_scale = std::ldexp(1.0, format.bit_depth) - 1;
  const double luma_scale = limited ? 219 * unit : full_scale;
  const double luma_offset = limited ? 16 * unit : 0;
  const double chroma_offset = 128 * unit;
  double chroma_scale = limited ? 224 * unit : full_scale;

  Matrix forward{};
  Matrix backward{};
  bool chroma_is_signed = true;
  if (format.model == ColorModel::rgb) {
    forward = backward = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    chroma_is_signed = false;
  } else if (format.model == ColorModel::yuv && format.matrix_coefficients == 0) {
    forward = {{{0, 1, 0}, {0, 0, 1}, {1, 0, 0}}};
    backward = {{{0, 0, 1}, {1, 0, 0}, {0, 1, 0}}};
    chroma_is_signed = false;
  } else if (format.model == ColorModel::yuv && format.matrix_coefficients == 8) {
    forward = {{{0.25, 0.5, 0.25}, {-0.25, 0.5, -0.25}, {0.5, 0, -0.5}}};
    backward = {{{1, -1, 1}, {1, 1, 0}, {1, -1, -1}}};
    chroma_scale = luma_scale;  // H.273 applies YCgCo to R, G, B that are scaled as luma is
  } else {
    set_ycbcr(luma_weights(format.matrix_coefficients), forward, backward);
  }
  if (!chroma_is_signed) chroma_scale = luma_scale;

  ColorMatrix matrix{};
  for (std::size_t p = 0; p < 3; ++p) {
    const double scale = p == 0 ? luma_scale : chroma_scale;
    matrix.offset[p] = p == 0 || !chroma_is_signed ? luma_offset : chroma_offset;
    for (std::size_t c = 0; c < 3; ++c) {
      matrix.to_rgb[c][p] = backward[c][p] / scale;
      matrix.from_rgb[p][c] = forward[p][c] * scale;
    }
  }
  return matrix;
}

}  // namespace atelier::tensor
