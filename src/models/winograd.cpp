#include "winograd.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "multiversion.h"

namespace atelier::models {
namespace {

constexpr std::int64_t num_points = 36;
constexpr std::int64_t tiles_at_once = 128;  // more are not faster

// The transforms of the interpolation points 0, 1, -1, 2, -2 and infinity; along one axis.
template <int lanes>
ATELIER_INLINE void transform_input(const Floats<lanes> (&d)[6], Floats<lanes> (&v)[6]) {
  const Floats<lanes> even = d[4] - 4 * d[2];
  const Floats<lanes> odd = d[3] - 4 * d[1];
  const Floats<lanes> even2 = d[4] - d[2];
  const Floats<lanes> odd2 = 2 * (d[3] - d[1]);
  v[0] = 4 * d[0] - 5 * d[2] + d[4];
  v[1] = even + odd;
  v[2] = even - odd;
  v[3] = even2 + odd2;
  v[4] = even2 - odd2;
  v[5] = 4 * d[1] - 5 * d[3] + d[5];
}

template <int lanes>
ATELIER_INLINE void transform_output(const Floats<lanes> (&m)[6], Floats<lanes> (&o)[4]) {
  const Floats<lanes> sum1 = m[1] + m[2];
  const Floats<lanes> difference1 = m[1] - m[2];
  const Floats<lanes> sum2 = m[3] + m[4];
  const Floats<lanes> difference2 = m[3] - m[4];
  o[0] = m[0] + sum1 + sum2;
  o[1] = difference1 + 2 * difference2;
  o[2] = sum1 + 4 * sum2;
  o[3] = difference1 + 8 * difference2 + m[5];
}

// from: the upper left input of the first tile. to: tiles x 36 x channels.
template <int lanes>
ATELIER_INLINE void input_tile(const float* from, std::int64_t row_stride, std::int64_t pixel_stride,
                               std::int64_t channels, float* to) {
  Floats<lanes> columns[6][6];
  for (int x = 0; x < 6; ++x) {
    Floats<lanes> d[6];
    for (int y = 0; y < 6; ++y) d[y] = load<lanes>(from + y * row_stride + x * pixel_stride);
    Floats<lanes> v[6];
    transform_input<lanes>(d, v);
    for (int i = 0; i < 6; ++i) columns[i][x] = v[i];
  }
  for (int i = 0; i < 6; ++i) {
    Floats<lanes> v[6];
    transform_input<lanes>(columns[i], v);
    for (int j = 0; j < 6; ++j) store<lanes>(to + (6 * i + j) * channels, v[j]);
  }
}

template <int lanes>
ATELIER_INLINE void output_tile(const float* from, std::int64_t channels, float* to, std::int64_t row_stride,
                                std::int64_t pixel_stride) {
  Floats<lanes> columns[4][6];
  for (int j = 0; j < 6; ++j) {
    Floats<lanes> m[6];
    for (int i = 0; i < 6; ++i) m[i] = load<lanes>(from + (6 * i + j) * channels);
    Floats<lanes> o[4];
    transform_output<lanes>(m, o);
    for (int y = 0; y < 4; ++y) columns[y][j] = o[y];
  }
  for (int y = 0; y < 4; ++y) {
    Floats<lanes> o[4];
    transform_output<lanes>(columns[y], o);
    for (int x = 0; x < 4; ++x) store<lanes>(to + y * row_stride + x * pixel_stride, o[x]);
  }
}

struct Tiles {
  float* data;  // rows x columns x 36 x channels
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t channels;
};

ATELIER_MULTIVERSION
void transform_inputs(const PixelView& picture, const Tiles& tiles) {
  constexpr std::int64_t step = WinogradConvolution::tile_px;
  float* to = tiles.data;
  for (std::int64_t ty = 0; ty < tiles.rows; ++ty) {
    for (std::int64_t tx = 0; tx < tiles.columns; ++tx, to += num_points * tiles.channels) {
      const float* from = picture.data + step * (ty * picture.row_stride + tx * picture.pixel_stride);
      std::int64_t c = 0;
      for (; c + 16 <= tiles.channels; c += 16) {
        input_tile<16>(from + c, picture.row_stride, picture.pixel_stride, tiles.channels, to + c);
      }
      for (; c + 4 <= tiles.channels; c += 4) {
        input_tile<4>(from + c, picture.row_stride, picture.pixel_stride, tiles.channels, to + c);
      }
    }
  }
}

ATELIER_MULTIVERSION
void transform_outputs(const Tiles& tiles, const PixelView& picture) {
  constexpr std::int64_t step = WinogradConvolution::tile_px;
  const float* from = tiles.data;
  for (std::int64_t ty = 0; ty < tiles.rows; ++ty) {
    for (std::int64_t tx = 0; tx < tiles.columns; ++tx, from += num_points * tiles.channels) {
      float* to = picture.data + step * (ty * picture.row_stride + tx * picture.pixel_stride);
      std::int64_t c = 0;
      for (; c + 16 <= tiles.channels; c += 16) {
        output_tile<16>(from + c, tiles.channels, to + c, picture.row_stride, picture.pixel_stride);
      }
      for (; c + 4 <= tiles.channels; c += 4) {
        output_tile<4>(from + c, tiles.channels, to + c, picture.row_stride, picture.pixel_stride);
      }
    }
  }
}

at::Tensor transformed_weight(const at::Tensor& weight) {
  const at::Tensor points = at::tensor({1. / 4, 0., 0., -1. / 6, -1. / 6, -1. / 6, -1. / 6, 1. / 6, -1. / 6,
                                        1. / 24, 1. / 12, 1. / 6, 1. / 24, -1. / 12, 1. / 6, 0., 0., 1.},
                                       at::kDouble)
                                .view({6, 3});
  return at::einsum("iy,jx,ocyx->ijoc", {points, points, weight.to(at::kDouble)})
      .reshape({num_points * weight.size(0), weight.size(1), 1, 1})
      .to(at::kFloat);
}

}  // namespace

WinogradConvolution::WinogradConvolution(const at::Tensor& weight, std::int64_t height, std::int64_t width)
    : in_channels_(weight.size(1)),
      tile_rows_((height + tile_px - 1) / tile_px),
      tile_columns_((width + tile_px - 1) / tile_px),
      band_rows_(std::clamp<std::int64_t>(tiles_at_once / tile_columns_, 1, tile_rows_)) {
  products_ = Convolution(transformed_weight(weight), {}, 1, num_points,
                          {1, num_points * in_channels_, band_rows_, tile_columns_});
}

void WinogradConvolution::operator()(const BorderedPicture& input, const PixelView& output) const {
  const PixelView source = view_of(input.tensor());
  for (std::int64_t first = 0; first < tile_rows_; first += band_rows_) {
    const std::int64_t rows = std::min(band_rows_, tile_rows_ - first);
    const at::Tensor tiles =
        at::empty({1, rows, tile_columns_, num_points * in_channels_}, at::kFloat).permute({0, 3, 1, 2});
    transform_inputs(part_of(source, first * tile_px, 0, 0, 0),
                     {tiles.mutable_data_ptr<float>(), rows, tile_columns_, in_channels_});
    const at::Tensor products = products_(tiles);
    transform_outputs({products.mutable_data_ptr<float>(), rows, tile_columns_, output.channels},
                      part_of(output, first * tile_px, 0, 0, 0));
  }
}

}  // namespace atelier::models
