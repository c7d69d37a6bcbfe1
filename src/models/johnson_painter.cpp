#include "johnson_painter.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

#include "channels_last.h"
#include "multiversion.h"
#include "winograd.h"

namespace atelier::models {
namespace {

constexpr double norm_epsilon = 1e-5;
constexpr std::int64_t multiple = 4;  // the network halves the picture twice
constexpr std::int64_t least = 8;     // the smallest side with a reflected border at 1/4
constexpr std::int64_t outer = 4;     // border of the 9x9 convolutions

std::int64_t rounded_up(std::int64_t side) {
  return std::max((side + multiple - 1) / multiple * multiple, least);
}

// Triangle wave: … 1 0 1 … length-1 length-2 …
std::int64_t reflected(std::int64_t i, std::int64_t length) {
  if (length == 1) return 0;
  const std::int64_t period = 2 * (length - 1);
  const std::int64_t place = ((i % period) + period) % period;
  return place < length ? place : period - place;
}

// From which sample of `length` those of a side of `padded` with the outer border come.
std::vector<std::int64_t> source_indices(std::int64_t length, std::int64_t padded) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = -outer; i < padded + outer; ++i)
    indices.push_back(reflected(reflected(i, padded), length));
  return indices;
}

// The 3x3 convolution behind nearest up-sampling as one 2x2 convolution with 4 x out channels: the phase
// (row, column) of the result lies in channels (2 row + column) * out …, moved by (row, column).
at::Tensor phase_weight(const at::Tensor& weight) {
  const std::int64_t out = weight.size(0);
  at::Tensor phases = at::zeros({4 * out, weight.size(1), 2, 2}, at::kFloat);
  for (std::int64_t row = 0; row < 2; ++row) {
    for (std::int64_t column = 0; column < 2; ++column) {
      at::Tensor phase = phases.narrow(0, (2 * row + column) * out, out);
      for (std::int64_t y = 0; y < 3; ++y) {
        for (std::int64_t x = 0; x < 3; ++x) {
          phase.select(2, (y + 1 - row) / 2).select(2, (x + 1 - column) / 2) +=
              weight.select(2, y).select(2, x);
        }
      }
    }
  }
  return phases;
}

// The last convolution, 9x9 to three channels, fills few lanes of a vector. It becomes a 9x1 convolution with
// a channel for each of the nine columns and three colours, whose results are then added up along the row.
constexpr std::int64_t num_columns = 9;
constexpr std::int64_t column_channels = 32;  // 9 x 3, and some that are zero

at::Tensor column_weight(const at::Tensor& weight) {
  at::Tensor columns = at::zeros({column_channels, weight.size(1), 9, 1}, at::kFloat);
  for (std::int64_t x = 0; x < num_columns; ++x) {
    columns.narrow(0, 3 * x, 3).select(3, 0).copy_(weight.select(3, x));
  }
  return columns;
}

// partial: height x (width + 8) pixels of column_channels. planes: 3 x height x width.
ATELIER_MULTIVERSION
void add_columns(const float* partial, const float* bias, std::int64_t height, std::int64_t width,
                 float* planes) {
  const std::int64_t plane = height * width;
  const Floats<4> start{bias[0], bias[1], bias[2], 0};
  for (std::int64_t y = 0; y < height; ++y) {
    const float* pixel = partial + y * (width + num_columns - 1) * column_channels;
    float* out = planes + y * width;
    for (std::int64_t x = 0; x < width; ++x, pixel += column_channels) {
      Floats<4> sum = start;
      for (std::int64_t i = 0; i < num_columns; ++i) sum += load<4>(pixel + i * (column_channels + 3));
      out[x] = sum[0];
      out[x + plane] = sum[1];
      out[x + 2 * plane] = sum[2];
    }
  }
}

}  // namespace

struct JohnsonPainter::Layers {
  std::int64_t height, width;  // of a frame
  std::int64_t padded_h, padded_w;
  JohnsonWeights weights;

  BorderedPicture input, first, half, quarter, inner, full;
  at::Tensor residual_output;
  Convolution down1, down2, down3, up1, up2, last;
  std::vector<WinogradConvolution> residuals;

  Layers(const JohnsonWeights& given, std::int64_t frame_height, std::int64_t frame_width)
      : height(frame_height),
        width(frame_width),
        padded_h(rounded_up(frame_height)),
        padded_w(rounded_up(frame_width)),
        weights(given) {
    const std::int64_t h = padded_h;
    const std::int64_t w = padded_w;
    const std::int64_t spare_h = WinogradConvolution::spare(h / 4);
    const std::int64_t spare_w = WinogradConvolution::spare(w / 4);
    input = BorderedPicture(3, h, w, outer);
    full = BorderedPicture(32, h, w, outer);
    first = full.with_border(1);
    half = BorderedPicture(64, h / 2, w / 2, 1);
    quarter = BorderedPicture(128, h / 4, w / 4, 1, spare_h, spare_w);
    inner = BorderedPicture(128, h / 4, w / 4, 1, spare_h, spare_w);
    residual_output = at::empty({1, h / 4 + spare_h, w / 4 + spare_w, 128}, at::kFloat).permute({0, 3, 1, 2});
    const auto convolution = [](const at::Tensor& weight, std::int64_t stride, const BorderedPicture& from) {
      return Convolution(weight, {}, stride, 1, from.tensor().sizes());
    };
    down1 = convolution(weights.down[0].weight, 1, input);
    down2 = convolution(weights.down[1].weight, 2, first);
    down3 = convolution(weights.down[2].weight, 2, half);
    for (const auto& block : weights.residuals) {
      residuals.emplace_back(block.conv1.weight, h / 4, w / 4);
      residuals.emplace_back(block.conv2.weight, h / 4, w / 4);
    }
    up1 = convolution(phase_weight(weights.up[0].weight), 1, quarter);
    up2 = convolution(phase_weight(weights.up[1].weight), 1, half);
    last = convolution(column_weight(weights.up[2].weight), 1, full);
  }

  void read(const at::Tensor& frame) const {
    const auto rows = source_indices(height, padded_h);
    const auto columns = source_indices(width, padded_w);
    float* out = view_of(input.tensor()).data;
    const at::Tensor planes = frame.contiguous();
    const float* in = planes.const_data_ptr<float>();
    const std::int64_t plane = height * width;
    for (const std::int64_t y : rows) {
      const float* row = in + y * width;
      for (const std::int64_t x : columns) {
        *out++ = row[x];
        *out++ = row[x + plane];
        *out++ = row[x + 2 * plane];
      }
    }
  }

  static Affine norm(const std::vector<PixelView>& views, const NormWeights& weights) {
    return instance_norm(views, weights.scale, weights.shift, norm_epsilon);
  }

  static void norm_relu(const PixelView& from, const NormWeights& norm_weights, const BorderedPicture& to,
                        Border border) {
    normalise_relu(from, norm({from}, norm_weights), to.inside());
    to.fill_border(border);
  }

  void residual_block(std::size_t i) const {
    const ResidualWeights& block = weights.residuals[i];
    const PixelView tiles = view_of(residual_output);
    const PixelView result = part_of(tiles, 0, 0, padded_h / 4, padded_w / 4);
    residuals[2 * i](quarter, tiles);
    norm_relu(result, block.norm1, inner, Border::reflect);
    residuals[2 * i + 1](inner, tiles);
    normalise_add(result, norm({result}, block.norm2), quarter.inside());
    // Up-sampling by two and then reflecting one pixel is the same as repeating one pixel here.
    quarter.fill_border(i + 1 < weights.residuals.size() ? Border::reflect : Border::replicate);
  }

  // phases: of up1 or up2. to: twice as large as what they were made from.
  static void interleave(const at::Tensor& phases, const NormWeights& norm_weights, const BorderedPicture& to,
                         Border border) {
    const PixelView out = to.inside();
    std::vector<PixelView> views;
    for (std::int64_t phase = 0; phase < 4; ++phase) {
      views.push_back(part_of(view_of(phases, phase * out.channels, out.channels), phase / 2, phase % 2,
                              out.height / 2, out.width / 2));
    }
    const Affine affine = norm(views, norm_weights);
    for (std::int64_t phase = 0; phase < 4; ++phase) {
      normalise_relu(views[static_cast<std::size_t>(phase)], affine, every_second(out, phase / 2, phase % 2));
    }
    to.fill_border(border);
  }
};

JohnsonPainter::JohnsonPainter(const JohnsonWeights& weights, std::int64_t height, std::int64_t width)
    : layers_(std::make_unique<Layers>(weights, height, width)) {}

JohnsonPainter::~JohnsonPainter() = default;

at::Tensor JohnsonPainter::paint(const at::Tensor& frame) {
  const Layers& l = *layers_;
  l.read(frame);
  Layers::norm_relu(view_of(l.down1(l.input.tensor())), l.weights.down_norms[0], l.first, Border::reflect);
  Layers::norm_relu(view_of(l.down2(l.first.tensor())), l.weights.down_norms[1], l.half, Border::reflect);
  Layers::norm_relu(view_of(l.down3(l.half.tensor())), l.weights.down_norms[2], l.quarter, Border::reflect);
  for (std::size_t i = 0; i < l.weights.residuals.size(); ++i) l.residual_block(i);
  const at::Tensor quarter =
      l.quarter.tensor().narrow(2, 0, l.padded_h / 4 + 2).narrow(3, 0, l.padded_w / 4 + 2);
  Layers::interleave(l.up1(quarter), l.weights.up_norms[0], l.half, Border::replicate);
  Layers::interleave(l.up2(l.half.tensor()), l.weights.up_norms[1], l.full, Border::reflect);
  const at::Tensor partial = l.last(l.full.tensor());
  at::Tensor painted = at::empty({1, 3, l.padded_h, l.padded_w}, at::kFloat);
  add_columns(partial.const_data_ptr<float>(), l.weights.up[2].bias.const_data_ptr<float>(), l.padded_h,
              l.padded_w, painted.mutable_data_ptr<float>());
  return painted.narrow(2, 0, l.height).narrow(3, 0, l.width);
}

}  // namespace atelier::models
