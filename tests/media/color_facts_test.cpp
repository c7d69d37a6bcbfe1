#include "color_facts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace atelier::media {
namespace {

using Triple = std::array<double, 3>;

/// H.273, equations 31 to 33 and back, in parts of full scale.
Triple to_rgb(const Triple& yuv, LumaWeights k) {
  const double red = yuv[0] + 2 * (1 - k.red) * yuv[2];
  const double blue = yuv[0] + 2 * (1 - k.blue) * yuv[1];
  return {red, (yuv[0] - k.red * red - k.blue * blue) / (1 - k.red - k.blue), blue};
}
Triple to_yuv(const Triple& rgb, LumaWeights k) {
  const double luma = k.red * rgb[0] + (1 - k.red - k.blue) * rgb[1] + k.blue * rgb[2];
  return {luma, (rgb[2] - luma) / (2 * (1 - k.blue)), (rgb[0] - luma) / (2 * (1 - k.red))};
}

struct Planes {
  VideoFormat format;
  std::vector<std::byte> bytes;

  explicit Planes(const VideoFormat& of) : format(of), bytes(frame_bytes(of)) {}
  [[nodiscard]] int get(int plane, std::size_t i) const {
    const std::byte* at = bytes.data() + plane_offset_bytes(format, plane);
    if (bytes_per_sample(format) == 1) return std::to_integer<int>(at[i]);
    std::uint16_t word = 0;
    std::memcpy(&word, at + 2 * i, sizeof word);
    return word;
  }
  void set(int plane, std::size_t i, int code) {
    std::byte* at = bytes.data() + plane_offset_bytes(format, plane);
    const auto word = static_cast<std::uint16_t>(code);
    if (bytes_per_sample(format) == 1)
      at[i] = static_cast<std::byte>(code);
    else
      std::memcpy(at + 2 * i, &word, sizeof word);
  }
};

/// Tolerance: half a code, as rounding makes it, and what float adds.
TEST(ColorFactsTest, MatrixChangesAsByWayOfRgb) {
  std::mt19937 random(5);
  for (const int depth : {8, 10, 16})
    for (const ColorRange range : {ColorRange::limited, ColorRange::full})
      for (const auto& [from, to] : {std::pair{6, 1}, {1, 6}, {9, 1}, {4, 7}}) {
        VideoFormat format;
        format.width_px = 40;
        format.height_px = 30;
        format.bit_depth = depth;
        format.log2_chroma_w = format.log2_chroma_h = 0;
        format.range = range;
        format.matrix_coefficients = to;
        const double unit = std::ldexp(1.0, depth - 8);
        const bool is_limited = range == ColorRange::limited;
        const double luma_zero = is_limited ? 16 * unit : 0;
        const double luma_scale = is_limited ? 219 * unit : std::ldexp(1.0, depth) - 1;
        const double chroma_scale = is_limited ? 224 * unit : std::ldexp(1.0, depth) - 1;
        Planes planes(format);
        std::vector<Triple> expected;
        for (std::size_t i = 0; i < 40 * 30; ++i) {
          // Saturated as test patterns are, but within what codes can hold on both sides.
          const Triple rgb{random() % 1000 * 0.001, random() % 1000 * 0.001, random() % 1000 * 0.001};
          const Triple yuv = to_yuv(rgb, luma_weights(from));
          std::array<int, 3> codes{};
          for (std::size_t p = 0; p < 3; ++p)
            codes[p] = static_cast<int>(
                std::lround(p == 0 ? luma_zero + yuv[0] * luma_scale : 128 * unit + yuv[p] * chroma_scale));
          codes[1] = std::min(codes[1], (1 << depth) - 1);
          codes[2] = std::min(codes[2], (1 << depth) - 1);
          Triple back{(codes[0] - luma_zero) / luma_scale, (codes[1] - 128 * unit) / chroma_scale,
                      (codes[2] - 128 * unit) / chroma_scale};
          back = to_yuv(to_rgb(back, luma_weights(from)), luma_weights(to));
          expected.push_back({luma_zero + back[0] * luma_scale, 128 * unit + back[1] * chroma_scale,
                              128 * unit + back[2] * chroma_scale});
          for (int p = 0; p < 3; ++p) planes.set(p, i, codes[static_cast<std::size_t>(p)]);
        }
        change_matrix(planes.bytes.data(), format, from);
        const double top = (1 << depth) - 1;
        for (std::size_t i = 0; i < expected.size(); ++i)
          for (int p = 0; p < 3; ++p)
            ASSERT_NEAR(planes.get(p, i), std::clamp(expected[i][static_cast<std::size_t>(p)], 0.0, top),
                        0.5 + 0.002 * unit)
                << depth << " bit, " << from << " to " << to << ", plane " << p;
      }
}

/// Coarser chroma: where it is flat, and at the positions of its samples, luma changes as without that.
TEST(ColorFactsTest, LumaTakesChromaFromWhereItLies) {
  for (const ChromaSiting siting : {ChromaSiting::left, ChromaSiting::center, ChromaSiting::top_left}) {
    VideoFormat format;
    format.width_px = 15;
    format.height_px = 9;
    format.siting = siting;
    format.matrix_coefficients = 1;
    Planes planes(format);
    const int chroma_width = plane_width_px(format, 1);
    for (std::size_t i = 0; i < 15 * 9; ++i) planes.set(0, i, 120);
    for (int p : {1, 2})
      for (int y = 0; y < plane_height_px(format, 1); ++y)
        for (int x = 0; x < chroma_width; ++x)
          planes.set(p, static_cast<std::size_t>(y * chroma_width + x), p == 1 ? 60 + 20 * x : 150);
    Planes coarse = planes;
    change_matrix(coarse.bytes.data(), format, 6);
    // A ramp of chroma is a ramp of luma's change, but at the borders.
    const double slope = (coarse.get(0, 15 * 4 + 12) - coarse.get(0, 15 * 4 + 2)) / 10.0;
    for (std::size_t x = 2; x < 13; ++x)
      EXPECT_NEAR(coarse.get(0, 15 * 4 + x), coarse.get(0, 15 * 4 + 2) + slope * (static_cast<double>(x) - 2),
                  1.01);
    EXPECT_LT(slope, -0.2) << "this ramp darkens";
  }
}

TEST(ColorFactsTest, OnlyWeightedMatricesChange) {
  EXPECT_TRUE(can_change_matrix(6, 1));
  EXPECT_TRUE(can_change_matrix(1, 9));
  EXPECT_FALSE(can_change_matrix(8, 1));
  EXPECT_FALSE(can_change_matrix(1, 14));
}

}  // namespace
}  // namespace atelier::media
