#include "picture_color.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "color_facts.h"

namespace atelier::media {
namespace {

/// Reads one plane's samples as numbers from 0 to 2^depth - 1.
class PlaneReader {
 public:
  PlaneReader(const VideoFormat& format, const std::byte* planes, int plane)
      : data_(planes + plane_offset_bytes(format, plane)),
        width_(plane_width_px(format, plane)),
        height_(plane_height_px(format, plane)),
        wide_(bytes_per_sample(format) == 2) {}

  [[nodiscard]] float at(int x, int y) const {
    const std::size_t index =
        static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
    if (!wide_) return static_cast<float>(std::to_integer<unsigned>(data_[index]));
    std::uint16_t word = 0;
    std::memcpy(&word, data_ + 2 * index, sizeof word);
    return word;
  }

  /// Linear between samples, the border repeated.
  [[nodiscard]] float between(float x, float y) const {
    const float left = std::floor(x);
    const float top = std::floor(y);
    const int x0 = std::clamp(static_cast<int>(left), 0, width_ - 1);
    const int y0 = std::clamp(static_cast<int>(top), 0, height_ - 1);
    const int x1 = std::clamp(static_cast<int>(left) + 1, 0, width_ - 1);
    const int y1 = std::clamp(static_cast<int>(top) + 1, 0, height_ - 1);
    const float fx = x - left;
    const float fy = y - top;
    return (at(x0, y0) * (1 - fx) + at(x1, y0) * fx) * (1 - fy) +
           (at(x0, y1) * (1 - fx) + at(x1, y1) * fx) * fy;
  }

 private:
  const std::byte* data_;
  int width_;
  int height_;
  bool wide_;
};

}  // namespace

Picture to_rgb(const VideoFormat& format, const std::byte* planes) {
  Picture picture;
  picture.width_px = format.width_px;
  picture.height_px = format.height_px;
  picture.rgb.resize(static_cast<std::size_t>(format.width_px) * static_cast<std::size_t>(format.height_px) *
                     3);
  const bool gray = format.model == ColorModel::gray;
  const bool yuv = format.model == ColorModel::yuv;
  const PlaneReader first(format, planes, 0);
  const PlaneReader second(format, planes, gray ? 0 : 1);
  const PlaneReader third(format, planes, gray ? 0 : 2);
  const PlaneReader alpha(format, planes, num_planes(format) - 1);

  const auto top = static_cast<float>((1 << format.bit_depth) - 1);
  const bool limited = format.range == ColorRange::limited && format.model != ColorModel::rgb;
  const auto code = static_cast<float>(1 << (format.bit_depth - 8));
  const float black = limited ? 16 * code : 0.0F;
  const float luma_scale = 1.0F / (limited ? 219 * code : top);
  const float chroma_scale = 1.0F / (limited ? 224 * code : top);
  const float chroma_zero = 128 * code;
  const LumaWeights luma = luma_weights(format.matrix_coefficients);
  const auto red = static_cast<float>(luma.red);
  const auto blue = static_cast<float>(luma.blue);
  const float green = 1 - red - blue;
  const auto [chroma_x, chroma_y] = first_chroma_at(format);
  const float step_x = 1.0F / static_cast<float>(1 << format.log2_chroma_w);
  const float step_y = 1.0F / static_cast<float>(1 << format.log2_chroma_h);

  float* out = picture.rgb.data();
  for (int y = 0; y < format.height_px; ++y) {
    for (int x = 0; x < format.width_px; ++x, out += 3) {
      const float value = (first.at(x, y) - black) * luma_scale;
      std::array<float, 3> rgb{value, value, value};
      if (yuv) {
        const float cx = (static_cast<float>(x) - chroma_x) * step_x;
        const float cy = (static_cast<float>(y) - chroma_y) * step_y;
        const float u = (second.between(cx, cy) - chroma_zero) * chroma_scale;
        const float v = (third.between(cx, cy) - chroma_zero) * chroma_scale;
        rgb[0] = value + 2 * (1 - red) * v;
        rgb[2] = value + 2 * (1 - blue) * u;
        rgb[1] = (value - red * rgb[0] - blue * rgb[2]) / green;
      } else if (!gray) {
        rgb[1] = second.at(x, y) * luma_scale;
        rgb[2] = third.at(x, y) * luma_scale;
      }
      const float opaque = format.has_alpha ? alpha.at(x, y) / top : 1.0F;
      for (std::size_t c = 0; c < 3; ++c) out[c] = std::clamp(rgb[c], 0.0F, 1.0F) * opaque + (1 - opaque);
    }
  }
  return picture;
}

Picture oriented(Picture picture, Orientation o) {
  if (o.is_upright()) return picture;
  Picture out;
  out.width_px = o.transposed ? picture.height_px : picture.width_px;
  out.height_px = o.transposed ? picture.width_px : picture.height_px;
  out.rgb.resize(picture.rgb.size());
  for (int y = 0; y < out.height_px; ++y) {
    for (int x = 0; x < out.width_px; ++x) {
      int from_x = o.flip_x ? out.width_px - 1 - x : x;
      int from_y = o.flip_y ? out.height_px - 1 - y : y;
      if (o.transposed) std::swap(from_x, from_y);
      const float* from =
          picture.rgb.data() + 3 * (static_cast<std::ptrdiff_t>(from_y) * picture.width_px + from_x);
      std::copy_n(from, 3, out.rgb.data() + 3 * (static_cast<std::ptrdiff_t>(y) * out.width_px + x));
    }
  }
  return out;
}

}  // namespace atelier::media
