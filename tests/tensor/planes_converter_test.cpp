#include "atelier/tensor/planes_converter.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::tensor {
namespace {

VideoFormat make_format(int width, int height, ColorModel model, int depth, int log2_w, int log2_h) {
  VideoFormat format;
  format.width_px = width;
  format.height_px = height;
  format.model = model;
  format.bit_depth = depth;
  format.log2_chroma_w = log2_w;
  format.log2_chroma_h = log2_h;
  return format;
}

Buffer random_planes(const VideoFormat& format, std::uint32_t seed) {
  std::mt19937 random(seed);
  Buffer planes(frame_bytes(format));
  const auto max_code = (std::uint32_t{1} << format.bit_depth) - 1;
  if (bytes_per_sample(format) == 1) {
    for (auto& byte : planes.bytes()) byte = static_cast<std::byte>(random() & 0xff);
  } else {
    for (std::size_t i = 0; i < planes.size(); i += 2) {
      const auto word = static_cast<std::uint16_t>(random() & max_code);
      std::memcpy(planes.data() + i, &word, 2);
    }
  }
  return planes;
}

std::string describe(const VideoFormat& f) {
  return concat(f.width_px, "x", f.height_px, " model ", static_cast<int>(f.model), " depth ", f.bit_depth,
                " chroma ", f.log2_chroma_w, f.log2_chroma_h, " matrix ", f.matrix_coefficients, " range ",
                static_cast<int>(f.range), " siting ", static_cast<int>(f.siting),
                f.has_alpha ? " alpha" : "");
}

// Random planes are the worst case: every code value, and neighbours that have nothing to do with each other.
// Tolerance: none, the round trip gives back every sample.
void expect_exact_round_trip(const VideoFormat& format) {
  const PlanesConverter converter(format, Device{});
  const Buffer planes = random_planes(format, 7);
  const at::Tensor rgb = converter.to_rgb(planes.bytes());
  ASSERT_EQ(rgb.sizes(), at::IntArrayRef({1, 3, format.height_px, format.width_px})) << describe(format);
  const Buffer back = converter.to_planes(rgb, planes.bytes());
  ASSERT_EQ(back.size(), planes.size());
  EXPECT_EQ(std::memcmp(back.data(), planes.data(), planes.size()), 0) << describe(format);
}

constexpr ChromaSiting sitings[] = {ChromaSiting::left, ChromaSiting::center,      ChromaSiting::top_left,
                                    ChromaSiting::top,  ChromaSiting::bottom_left, ChromaSiting::bottom};

TEST(PlanesConverter, RoundTripIsExactForEverySubsamplingSitingAndSize) {
  const std::pair<int, int> subsamplings[] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}, {2, 0}, {2, 2}, {2, 1}};
  for (const auto& [log2_w, log2_h] : subsamplings) {
    for (const auto siting : sitings) {
      for (int height = 1; height <= 10; ++height) {
        for (int width = 1; width <= 10; ++width) {
          VideoFormat format = make_format(width, height, ColorModel::yuv, 8, log2_w, log2_h);
          format.siting = siting;
          expect_exact_round_trip(format);
        }
      }
      VideoFormat format = make_format(131, 77, ColorModel::yuv, 12, log2_w, log2_h);
      format.siting = siting;
      expect_exact_round_trip(format);
    }
  }
}

TEST(PlanesConverter, RoundTripIsExactForEveryDepthMatrixAndRange) {
  for (int depth = 8; depth <= 16; ++depth) {
    for (const auto range : {ColorRange::limited, ColorRange::full}) {
      for (int matrix = 0; matrix <= 14; ++matrix) {
        for (const int log2 : {0, 1}) {
          VideoFormat format = make_format(53, 38, ColorModel::yuv, depth, log2, log2);
          format.range = range;
          format.matrix_coefficients = matrix;
          expect_exact_round_trip(format);
        }
      }
      for (const auto model : {ColorModel::gray, ColorModel::rgb}) {
        for (const bool alpha : {false, true}) {
          VideoFormat format = make_format(53, 38, model, depth, 0, 0);
          format.range = range;
          format.has_alpha = alpha;
          expect_exact_round_trip(format);
        }
      }
    }
  }
  VideoFormat format = make_format(53, 38, ColorModel::yuv, 10, 1, 1);
  format.has_alpha = true;
  expect_exact_round_trip(format);
}

void set_sample(const VideoFormat& format, Buffer& planes, int plane, std::int64_t index, int code) {
  std::byte* start = planes.data() + plane_offset_bytes(format, plane);
  if (bytes_per_sample(format) == 1) {
    start[index] = static_cast<std::byte>(code);
  } else {
    const auto word = static_cast<std::uint16_t>(code);
    std::memcpy(start + 2 * index, &word, 2);
  }
}

// A picture of one colour.
Buffer flat_planes(const VideoFormat& format, const std::array<int, 3>& codes) {
  Buffer planes(frame_bytes(format));
  for (int p = 0; p < num_planes(format); ++p) {
    const std::int64_t count = std::int64_t{plane_width_px(format, p)} * plane_height_px(format, p);
    for (std::int64_t i = 0; i < count; ++i)
      set_sample(format, planes, p, i, codes[static_cast<std::size_t>(p)]);
  }
  return planes;
}

void expect_color(const VideoFormat& format, const std::array<int, 3>& codes,
                  const std::array<double, 3>& rgb, double tolerance) {
  const at::Tensor result = PlanesConverter(format, Device{}).to_rgb(flat_planes(format, codes).bytes());
  for (std::int64_t c = 0; c < 3; ++c) {
    const at::Tensor error = (result[0][c] - rgb[static_cast<std::size_t>(c)]).abs();
    EXPECT_LT(error.max().item<double>(), tolerance) << describe(format) << " component " << c;
  }
}

// ITU-T H.273 (07/2021) clause 8.3, inverted: limited range E'Y = (Y / 2^(n-8) - 16) / 219 and
// E'PB = (Cb / 2^(n-8) - 128) / 224; full range E'Y = Y / (2^n - 1) and E'PB = (Cb - 2^(n-1)) / (2^n - 1);
// E'Y = KR E'R + (1 - KR - KB) E'G + KB E'B, E'PB = 0.5 (E'B - E'Y) / (1 - KB), E'PR alike.
// Tolerance: 1e-6, the rounding of float.
TEST(PlanesConverter, FollowsTheFormulasOfH273) {
  struct Weights {
    int matrix;
    double kr, kb;
  };
  for (const auto& [matrix, kr, kb] :
       {Weights{1, 0.2126, 0.0722}, Weights{4, 0.30, 0.11}, Weights{5, 0.299, 0.114},
        Weights{6, 0.299, 0.114}, Weights{7, 0.212, 0.087}, Weights{9, 0.2627, 0.0593}}) {
    for (const int depth : {8, 10, 12, 16}) {
      for (const bool full : {false, true}) {
        VideoFormat format = make_format(6, 4, ColorModel::yuv, depth, 1, 1);
        format.matrix_coefficients = matrix;
        format.range = full ? ColorRange::full : ColorRange::limited;
        const int unit = 1 << (depth - 8);
        const double peak = std::ldexp(1.0, depth) - 1;
        for (const auto& codes :
             {std::array{16, 128, 128}, {235, 128, 128}, {81, 90, 240}, {1, 254, 3}, {200, 17, 99}}) {
          const std::array<int, 3> scaled{codes[0] * unit, codes[1] * unit, codes[2] * unit};
          const double y = full ? scaled[0] / peak : (codes[0] - 16) / 219.0;
          const double pb = full ? (scaled[1] - 128 * unit) / peak : (codes[1] - 128) / 224.0;
          const double pr = full ? (scaled[2] - 128 * unit) / peak : (codes[2] - 128) / 224.0;
          const double red = y + 2 * (1 - kr) * pr;
          const double blue = y + 2 * (1 - kb) * pb;
          expect_color(format, scaled, {red, (y - kr * red - kb * blue) / (1 - kr - kb), blue}, 1e-6);
        }
      }
    }
  }
}

// H.273 clause 8.3 for MatrixCoefficients 8: t = Y - Cg, G = Y + Cg, B = t - Co, R = t + Co, on R, G, B
// scaled as luma is; for 0: the planes Y, Cb, Cr hold G, B, R. Grey and RGB have the scale of luma. Tolerance
// as above.
TEST(PlanesConverter, FollowsH273WhereNoLumaWeightsAre) {
  VideoFormat format = make_format(5, 3, ColorModel::yuv, 8, 0, 0);
  format.matrix_coefficients = 8;
  const double y = (100 - 16) / 219.0, cg = (150 - 128) / 219.0, co = (90 - 128) / 219.0;
  expect_color(format, {100, 150, 90}, {y - cg + co, y + cg, y - cg - co}, 1e-6);
  format.matrix_coefficients = 0;
  expect_color(format, {16, 235, 100}, {y, 0, 1}, 1e-6);
  format.model = ColorModel::rgb;
  expect_color(format, {16, 235, 100}, {0, 1, y}, 1e-6);
  format.range = ColorRange::full;
  expect_color(format, {0, 255, 51}, {0, 1, 0.2}, 1e-6);
  format.model = ColorModel::gray;
  expect_color(format, {51, 0, 0}, {0.2, 0.2, 0.2}, 1e-6);
}

// Full red in 8-bit limited range is (63, 102, 240) in BT.709 and (81, 90, 240) in BT.601, as test pictures
// have it. Tolerance: half a code value of each of the three, propagated.
TEST(PlanesConverter, KnowsRed) {
  VideoFormat format = make_format(4, 4, ColorModel::yuv, 8, 1, 1);
  expect_color(format, {63, 102, 240}, {1, 0, 0}, 0.008);
  format.matrix_coefficients = 6;
  expect_color(format, {81, 90, 240}, {1, 0, 0}, 0.008);
}

// Chroma that is a linear function of the place comes out as that function at the luma samples: where the
// chroma samples lie is then plain to see. Tolerance: 0.02 of 65535 code values (rounding of float); borders
// are left out.
TEST(PlanesConverter, PutsChromaWhereTheSitingSays) {
  for (const int log2 : {1, 2}) {
    for (const auto siting : sitings) {
      VideoFormat format = make_format(48, 40, ColorModel::yuv, 16, log2, log2);
      format.siting = siting;
      format.matrix_coefficients = 0;  // the planes Cb, Cr are then B and R
      format.range = ColorRange::full;
      const int factor = 1 << log2;
      const double middle = (factor - 1) / 2.0;
      const bool h_centred =
          siting == ChromaSiting::center || siting == ChromaSiting::top || siting == ChromaSiting::bottom;
      const bool at_top = siting == ChromaSiting::top_left || siting == ChromaSiting::top;
      const bool at_bottom = siting == ChromaSiting::bottom_left || siting == ChromaSiting::bottom;
      const double x_offset = h_centred ? middle : 0;
      const double y_offset = at_top ? 0 : at_bottom ? factor - 1 : middle;
      Buffer planes = flat_planes(format, {0, 0, 0});
      const int chroma_width = plane_width_px(format, 1);
      for (int j = 0; j < plane_height_px(format, 1); ++j) {
        for (int i = 0; i < chroma_width; ++i) {
          set_sample(format, planes, 1, j * chroma_width + i, 1000 + 64 * i);
          set_sample(format, planes, 2, j * chroma_width + i, 2000 + 80 * j);
        }
      }
      const at::Tensor rgb = PlanesConverter(format, Device{}).to_rgb(planes.bytes()) * 65535;
      const at::Tensor x = at::arange(48).view({1, 48});
      const at::Tensor y = at::arange(40).view({40, 1});
      const at::Tensor blue = (1000 + 64 * (x - x_offset) / factor).expand({40, 48});
      const at::Tensor red = (2000 + 80 * (y - y_offset) / factor).expand({40, 48});
      const auto inner = [&](const at::Tensor& t) {
        return t.slice(0, factor, -factor).slice(1, factor, -factor);
      };
      EXPECT_LT(inner(rgb[0][2] - blue).abs().max().item<double>(), 0.02) << describe(format);
      EXPECT_LT(inner(rgb[0][0] - red).abs().max().item<double>(), 0.02) << describe(format);
    }
  }
}

// The reference is zimg, FFmpeg's filter zscale: bilinear, to planar float. Tolerance: 2e-5 of the range
// (zimg works in float too, but in another order).
TEST(PlanesConverter, AgreesWithZimg) {
  if (std::system("ffmpeg -v error -h filter=zscale 2>/dev/null | grep -q matrixin") != 0) {
    GTEST_SKIP() << "no ffmpeg with zscale";
  }
  struct Case {
    const char* pixel_format;
    int depth, log2_w, log2_h;
    ChromaSiting siting;
    const char* siting_name;
    int matrix;
    const char* matrix_name;
    bool full;
  };
  const std::string folder = testing::TempDir();
  const std::string in = folder + "atelier_zimg_in.raw";
  const std::string out = folder + "atelier_zimg_out.raw";
  for (const auto& c :
       {Case{"yuv420p", 8, 1, 1, ChromaSiting::left, "left", 1, "709", false},
        Case{"yuv420p", 8, 1, 1, ChromaSiting::center, "center", 6, "170m", true},
        Case{"yuv420p10le", 10, 1, 1, ChromaSiting::top_left, "topleft", 9, "2020_ncl", false},
        Case{"yuv420p", 8, 1, 1, ChromaSiting::top, "top", 5, "470bg", false},
        Case{"yuv420p12le", 12, 1, 1, ChromaSiting::bottom_left, "bottomleft", 1, "709", true},
        Case{"yuv420p", 8, 1, 1, ChromaSiting::bottom, "bottom", 1, "709", false},
        Case{"yuv422p10le", 10, 1, 0, ChromaSiting::left, "left", 1, "709", false},
        Case{"yuv444p16le", 16, 0, 0, ChromaSiting::left, "left", 1, "709", false}}) {
    VideoFormat format = make_format(70, 46, ColorModel::yuv, c.depth, c.log2_w, c.log2_h);
    format.siting = c.siting;
    format.matrix_coefficients = c.matrix;
    format.range = c.full ? ColorRange::full : ColorRange::limited;
    const Buffer planes = random_planes(format, 11);
    std::ofstream(in, std::ios::binary)
        .write(reinterpret_cast<const char*>(planes.data()), static_cast<std::streamsize>(planes.size()));
    const std::string command = concat(
        "ffmpeg -v error -y -f rawvideo -pix_fmt ", c.pixel_format, " -s 70x46 -i ", in,
        " -vf 'zscale=matrixin=", c.matrix_name, ":rangein=", c.full ? "full" : "limited",
        ":primariesin=709:transferin=709:matrix=gbr:range=full:primaries=709:transfer=709:filter=bilinear:"
        "dither=none:chromalin=",
        c.siting_name, ",format=gbrpf32le' -f rawvideo ", out, " </dev/null");
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    std::vector<float> values(3 * 46 * 70);
    std::ifstream(out, std::ios::binary)
        .read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(4 * values.size()));
    const at::Tensor gbr = at::tensor(values).view({3, 46, 70});
    const at::Tensor rgb = PlanesConverter(format, Device{}).to_rgb(planes.bytes())[0];
    EXPECT_LT((rgb[0] - gbr[2]).abs().max().item<double>(), 2e-5) << describe(format);
    EXPECT_LT((rgb[1] - gbr[0]).abs().max().item<double>(), 2e-5) << describe(format);
    EXPECT_LT((rgb[2] - gbr[1]).abs().max().item<double>(), 2e-5) << describe(format);
  }
  std::remove(in.c_str());
  std::remove(out.c_str());
}

// The way down undoes interpolation, so it sharpens: chroma beside a hard edge of RGB overshoots. Bound: a
// quarter of the step, the weight of the outer taps.
TEST(PlanesConverter, RingsByAQuarterAtMost) {
  for (const auto siting : sitings) {
    for (int edge = 20; edge < 24; ++edge) {
      VideoFormat format = make_format(48, 48, ColorModel::yuv, 8, 1, 1);
      format.siting = siting;
      format.matrix_coefficients = 0;
      format.range = ColorRange::full;
      at::Tensor rgb = at::full({1, 3, 48, 48}, 80 / 255.0);
      rgb.slice(3, edge).fill_(160 / 255.0);
      const Buffer planes = PlanesConverter(format, Device{}).to_planes(rgb, {});
      for (std::size_t i = plane_offset_bytes(format, 1); i < planes.size(); ++i) {
        EXPECT_GE(static_cast<int>(planes.data()[i]), 60);
        EXPECT_LE(static_cast<int>(planes.data()[i]), 180);
      }
    }
  }
}

TEST(PlanesConverter, RoundsAndClampsToTheSamples) {
  VideoFormat format = make_format(3, 1, ColorModel::rgb, 8, 0, 0);
  format.range = ColorRange::full;
  const PlanesConverter converter(format, Device{});
  const at::Tensor rgb = at::tensor({-0.5F, 2.0F, 100.4F / 255, 100.6F / 255, 0.0F, 1.0F, 0.5F, 0.25F, 0.75F})
                             .view({1, 3, 1, 3});
  const Buffer planes = converter.to_planes(rgb, {});
  const std::array<int, 9> expected{0, 255, 100, 101, 0, 255, 128, 64, 191};
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(static_cast<int>(planes.data()[i]), expected[i]) << i;
  // Half precision is taken too; of 11 significant bits, so within one code value.
  const Buffer half = converter.to_planes(rgb.to(at::kHalf), {});
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(static_cast<int>(half.data()[i]), expected[i], 1) << i;
  }
}

TEST(PlanesConverter, BitsDoNotDependOnThreads) {
  const VideoFormat format = make_format(1000, 500, ColorModel::yuv, 8, 1, 1);
  const PlanesConverter converter(format, Device{});
  const Buffer planes = random_planes(format, 5);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = converter.to_rgb(planes.bytes());
  const Buffer one_back = converter.to_planes(one * 0.9, {});
  at::set_num_threads(4);
  const at::Tensor four = converter.to_rgb(planes.bytes());
  const Buffer four_back = converter.to_planes(four * 0.9, {});
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(one, four));
  EXPECT_EQ(std::memcmp(one_back.data(), four_back.data(), one_back.size()), 0);
}

TEST(PlanesConverter, RefusesOtherShapes) {
  const VideoFormat format = make_format(8, 6, ColorModel::yuv, 8, 1, 1);
  const PlanesConverter converter(format, Device{});
  EXPECT_THROW(static_cast<void>(converter.to_rgb(Buffer(5).bytes())), JobError);
  EXPECT_THROW(static_cast<void>(converter.to_planes(at::zeros({1, 3, 8, 6}), {})), JobError);
  EXPECT_THROW(static_cast<void>(converter.to_planes(at::zeros({2, 3, 6, 8}), {})), JobError);
}

}  // namespace
}  // namespace atelier::tensor
