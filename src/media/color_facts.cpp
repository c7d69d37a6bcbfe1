#include "color_facts.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace atelier::media {
namespace {

/// Changes of chroma (within itself) and luma (by chroma) between two matrices, in parts of full scale.
struct MatrixChange {
  float u_from_u, u_from_v, v_from_u, v_from_v, y_from_u, y_from_v;

  MatrixChange(LumaWeights from, LumaWeights to) {
    const double from_green = 1 - from.red - from.blue;
    // R - Y, G - Y and B - Y of the old matrix by its U and V, -0.5 to 0.5.
    const double red_v = 2 * (1 - from.red);
    const double blue_u = 2 * (1 - from.blue);
    const double green_u = -from.blue * blue_u / from_green;
    const double green_v = -from.red * red_v / from_green;
    const double to_green = 1 - to.red - to.blue;
    const double luma_u = to_green * green_u + to.blue * blue_u;
    const double luma_v = to.red * red_v + to_green * green_v;
    y_from_u = static_cast<float>(luma_u);
    y_from_v = static_cast<float>(luma_v);
    u_from_u = static_cast<float>((blue_u - luma_u) / (2 * (1 - to.blue)));
    u_from_v = static_cast<float>(-luma_v / (2 * (1 - to.blue)));
    v_from_u = static_cast<float>(-luma_u / (2 * (1 - to.red)));
    v_from_v = static_cast<float>((red_v - luma_v) / (2 * (1 - to.red)));
  }
};

/// A plane of 8-bit samples or 16-bit words.
class Samples {
 public:
  Samples(std::byte* planes, const VideoFormat& format, int plane)
      : data_(planes + plane_offset_bytes(format, plane)),
        is_wide_(bytes_per_sample(format) == 2),
        max_(static_cast<float>((1 << format.bit_depth) - 1)) {}

  [[nodiscard]] float get(std::size_t i) const {
    if (!is_wide_) return static_cast<float>(std::to_integer<unsigned>(data_[i]));
    std::uint16_t word = 0;
    std::memcpy(&word, data_ + 2 * i, sizeof word);
    return word;
  }
  void set(std::size_t i, float value) {
    const auto code = static_cast<unsigned>(std::clamp(value + 0.5F, 0.0F, max_));
    if (!is_wide_) {
      data_[i] = static_cast<std::byte>(code);
    } else {
      const auto word = static_cast<std::uint16_t>(code);
      std::memcpy(data_ + 2 * i, &word, sizeof word);
    }
  }

 private:
  std::byte* data_;
  bool is_wide_;
  float max_;
};

/// Weights of linear interpolation, the border repeated.
struct Between {
  std::size_t low, high;
  float part;  ///< of high
};
Between between(float position, int size) {
  const float low = std::floor(position);
  const auto clamped = [size](float at) {
    return static_cast<std::size_t>(std::clamp(static_cast<int>(at), 0, size - 1));
  };
  return {clamped(low), clamped(low + 1), position - low};
}

}  // namespace

std::pair<float, float> first_chroma_at(const VideoFormat& format) {
  const float middle_x = 0.5F * static_cast<float>((1 << format.log2_chroma_w) - 1);
  const float middle_y = 0.5F * static_cast<float>((1 << format.log2_chroma_h) - 1);
  switch (format.siting) {
    case ChromaSiting::left:
      return {0.0F, middle_y};
    case ChromaSiting::center:
      return {middle_x, middle_y};
    case ChromaSiting::top_left:
      return {0.0F, 0.0F};
    case ChromaSiting::top:
      return {middle_x, 0.0F};
    case ChromaSiting::bottom_left:
      return {0.0F, 2 * middle_y};
    case ChromaSiting::bottom:
      return {middle_x, 2 * middle_y};
  }
  return {0.0F, 0.0F};
}

bool can_change_matrix(int from, int to) {
  const auto is_weighted = [](int matrix) {
    return matrix == 1 || (matrix >= 4 && matrix <= 7) || matrix == 9 || matrix == 10;
  };
  return is_weighted(from) && is_weighted(to);
}

void change_matrix(std::byte* planes, const VideoFormat& format, int from) {
  const MatrixChange change(luma_weights(from), luma_weights(format.matrix_coefficients));
  const bool is_limited = format.range == ColorRange::limited;
  const auto zero = static_cast<float>(1 << (format.bit_depth - 1));
  const float luma_per_chroma = is_limited ? 219.0F / 224.0F : 1.0F;
  const int chroma_width = plane_width_px(format, 1);
  const int chroma_height = plane_height_px(format, 1);
  const auto width = static_cast<std::size_t>(format.width_px);
  Samples luma(planes, format, 0);
  Samples u_plane(planes, format, 1);
  Samples v_plane(planes, format, 2);

  std::vector<float> luma_change(static_cast<std::size_t>(chroma_width) *
                                 static_cast<std::size_t>(chroma_height));
  for (std::size_t i = 0; i < luma_change.size(); ++i) {
    const float u = u_plane.get(i) - zero;
    const float v = v_plane.get(i) - zero;
    luma_change[i] = luma_per_chroma * (change.y_from_u * u + change.y_from_v * v);
    u_plane.set(i, zero + change.u_from_u * u + change.u_from_v * v);
    v_plane.set(i, zero + change.v_from_u * u + change.v_from_v * v);
  }

  const auto [first_x, first_y] = first_chroma_at(format);
  const auto chroma_position = [](std::size_t luma_position, float first, int log2_size) {
    return (static_cast<float>(luma_position) - first) / static_cast<float>(1 << log2_size);
  };
  std::vector<Between> columns;
  for (std::size_t x = 0; x < width; ++x)
    columns.push_back(between(chroma_position(x, first_x, format.log2_chroma_w), chroma_width));
  std::vector<float> row(static_cast<std::size_t>(chroma_width));
  for (std::size_t y = 0; y < static_cast<std::size_t>(format.height_px); ++y) {
    const Between rows = between(chroma_position(y, first_y, format.log2_chroma_h), chroma_height);
    const float* low = luma_change.data() + rows.low * row.size();
    const float* high = luma_change.data() + rows.high * row.size();
    for (std::size_t x = 0; x < row.size(); ++x) row[x] = low[x] + rows.part * (high[x] - low[x]);
    for (std::size_t x = 0; x < width; ++x) {
      const Between& column = columns[x];
      const float changed = row[column.low] + column.part * (row[column.high] - row[column.low]);
      luma.set(y * width + x, luma.get(y * width + x) + changed);
    }
  }
}

}  // namespace atelier::media
