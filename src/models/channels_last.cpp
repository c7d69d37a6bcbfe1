#include "channels_last.h"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/mkldnn_reorder_conv2d_weight.h>
#include <ATen/ops/zeros.h>
#include <torch/version.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <type_traits>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "multiversion.h"

namespace atelier::models {
namespace {

// Calls work(first_channel, number of channels) for blocks of 16, 8 and 4 channels.
template <typename Work>
ATELIER_INLINE void for_channel_blocks(std::int64_t channels, const Work& work) {
  std::int64_t c = 0;
  for (; c + 16 <= channels; c += 16) work(c, std::integral_constant<int, 16>());
  for (; c + 8 <= channels; c += 8) work(c, std::integral_constant<int, 8>());
  for (; c + 4 <= channels; c += 4) work(c, std::integral_constant<int, 4>());
}

// sums[c] += Σ (x - pivot), squares[c] += Σ (x - pivot)². Rows are summed in float, their sums in double.
ATELIER_MULTIVERSION
void add_moments(const PixelView& view, const float* pivot, double* sums, double* squares) {
  for (std::int64_t y = 0; y < view.height; ++y) {
    const float* row = view.data + y * view.row_stride;
    for_channel_blocks(view.channels, [&]<int lanes>(std::int64_t c, std::integral_constant<int, lanes>) {
      const Floats<lanes> center = load<lanes>(pivot + c);
      Floats<lanes> sum0{}, sum1{}, square0{}, square1{};
      const float* pixel = row + c;
      std::int64_t x = 0;
      for (; x + 2 <= view.width; x += 2, pixel += 2 * view.pixel_stride) {
        const Floats<lanes> first = load<lanes>(pixel) - center;
        const Floats<lanes> second = load<lanes>(pixel + view.pixel_stride) - center;
        sum0 += first;
        sum1 += second;
        square0 += first * first;
        square1 += second * second;
      }
      if (x < view.width) {
        const Floats<lanes> first = load<lanes>(pixel) - center;
        sum0 += first;
        square0 += first * first;
      }
      sum0 += sum1;
      square0 += square1;
      for (int lane = 0; lane < lanes; ++lane) {
        sums[c + lane] += static_cast<double>(sum0[lane]);
        squares[c + lane] += static_cast<double>(square0[lane]);
      }
    });
  }
}

enum class Into { set, set_relu, add };

template <Into into>
ATELIER_INLINE void normalise_pixels(const PixelView& from, const float* scale, const float* shift,
                                     const PixelView& to) {
  for (std::int64_t y = 0; y < from.height; ++y) {
    for_channel_blocks(from.channels, [&]<int lanes>(std::int64_t c, std::integral_constant<int, lanes>) {
      const Floats<lanes> factor = load<lanes>(scale + c);
      const Floats<lanes> offset = load<lanes>(shift + c);
      const float* in = from.data + y * from.row_stride + c;
      float* out = to.data + y * to.row_stride + c;
      for (std::int64_t x = 0; x < from.width; ++x, in += from.pixel_stride, out += to.pixel_stride) {
        const Floats<lanes> value = load<lanes>(in) * factor + offset;
        if constexpr (into == Into::add) {
          store<lanes>(out, load<lanes>(out) + value);
        } else if constexpr (into == Into::set) {
          store<lanes>(out, value);
        } else {
          store<lanes>(out, value > 0 ? value : Floats<lanes>{});
        }
      }
    });
  }
}

ATELIER_MULTIVERSION
void normalise_kernel(const PixelView& from, const float* scale, const float* shift, const PixelView& to) {
  normalise_pixels<Into::set>(from, scale, shift, to);
}
ATELIER_MULTIVERSION
void normalise_relu_kernel(const PixelView& from, const float* scale, const float* shift,
                           const PixelView& to) {
  normalise_pixels<Into::set_relu>(from, scale, shift, to);
}
ATELIER_MULTIVERSION
void normalise_add_kernel(const PixelView& from, const float* scale, const float* shift,
                          const PixelView& to) {
  normalise_pixels<Into::add>(from, scale, shift, to);
}

using PreparedConvolution = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                                       at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, std::int64_t,
                                       std::string_view, at::List<std::optional<at::Scalar>>,
                                       std::optional<std::string_view>);

// The operator behind torch.compile's convolutions: no public one takes prepared weights and a plain picture
// in channels-last order (at::mkldnn_convolution then leaves that order).
c10::TypedOperatorHandle<PreparedConvolution> prepared_convolution() {
  try {
    return c10::Dispatcher::singleton()
        .findSchemaOrThrow("mkldnn::_convolution_pointwise", "")
        .typed<PreparedConvolution>();
  } catch (const c10::Error&) {
    throw JobError(concat("libtorch ", TORCH_VERSION, " lacks an operator (mkldnn::_convolution_pointwise)"),
                   "it is an internal one, tried with 2.11", "Use the libtorch that scripts/setup installs");
  }
}

std::int64_t source_index(std::int64_t i, std::int64_t length, Border border) {
  if (i >= 0 && i < length) return i;
  if (border == Border::replicate) return i < 0 ? 0 : length - 1;
  return i < 0 ? -i : 2 * (length - 1) - i;
}

}  // namespace

BorderedPicture::BorderedPicture(std::int64_t channels, std::int64_t height, std::int64_t width,
                                 std::int64_t border, std::int64_t extra_rows, std::int64_t extra_columns)
    : tensor_(at::zeros({1, height + 2 * border + extra_rows, width + 2 * border + extra_columns, channels},
                        at::kFloat)
                  .permute({0, 3, 1, 2})),
      height_(height),
      width_(width),
      border_(border) {}

BorderedPicture BorderedPicture::with_border(std::int64_t border) const {
  BorderedPicture other;
  const std::int64_t channels = tensor_.size(1);
  const std::int64_t rows = height_ + 2 * border;
  const std::int64_t columns = width_ + 2 * border;
  other.tensor_ = tensor_.as_strided({1, channels, rows, columns},
                                     {rows * columns * channels, 1, columns * channels, channels});
  other.height_ = height_;
  other.width_ = width_;
  other.border_ = border;
  return other;
}

PixelView BorderedPicture::inside() const {
  return part_of(view_of(tensor_), border_, border_, height_, width_);
}

void BorderedPicture::fill_border(Border border) const {
  const PixelView view = inside();
  const auto pixel = [&](std::int64_t y, std::int64_t x) {
    return view.data + y * view.row_stride + x * view.pixel_stride;
  };
  const auto pixel_bytes = static_cast<std::size_t>(view.channels) * sizeof(float);
  for (std::int64_t y = 0; y < height_; ++y) {
    for (std::int64_t i = 1; i <= border_; ++i) {
      std::memcpy(pixel(y, -i), pixel(y, source_index(-i, width_, border)), pixel_bytes);
      std::memcpy(pixel(y, width_ - 1 + i), pixel(y, source_index(width_ - 1 + i, width_, border)),
                  pixel_bytes);
    }
  }
  const std::size_t row_bytes = static_cast<std::size_t>(width_ + 2 * border_) * pixel_bytes;
  for (std::int64_t i = 1; i <= border_; ++i) {
    std::memcpy(pixel(-i, -border_), pixel(source_index(-i, height_, border), -border_), row_bytes);
    std::memcpy(pixel(height_ - 1 + i, -border_),
                pixel(source_index(height_ - 1 + i, height_, border), -border_), row_bytes);
  }
}

PixelView view_of(const at::Tensor& tensor) {
  return {tensor.mutable_data_ptr<float>(), tensor.size(2), tensor.size(3), tensor.size(1),
          tensor.size(3) * tensor.size(1),  tensor.size(1)};
}

PixelView view_of(const at::Tensor& tensor, std::int64_t first_channel, std::int64_t num_channels) {
  PixelView view = view_of(tensor);
  view.data += first_channel;
  view.channels = num_channels;
  return view;
}

PixelView every_second(const PixelView& view, std::int64_t row, std::int64_t column) {
  return {view.data + row * view.row_stride + column * view.pixel_stride,
          (view.height - row + 1) / 2,
          (view.width - column + 1) / 2,
          view.channels,
          2 * view.row_stride,
          2 * view.pixel_stride};
}

PixelView part_of(const PixelView& view, std::int64_t row, std::int64_t column, std::int64_t height,
                  std::int64_t width) {
  return {view.data + row * view.row_stride + column * view.pixel_stride,
          height,
          width,
          view.channels,
          view.row_stride,
          view.pixel_stride};
}

Affine instance_norm(const std::vector<PixelView>& views, const at::Tensor& scale, const at::Tensor& shift,
                     double epsilon) {
  const std::int64_t channels = views.front().channels;
  const auto count = static_cast<std::size_t>(channels);
  // Any sample is near enough to the mean to keep the difference of the moments exact.
  const PixelView& first = views.front();
  const std::vector<float> pivot(first.data, first.data + channels);
  std::vector<double> sums(count), squares(count);
  double num_pixels = 0;
  for (const auto& view : views) {
    add_moments(view, pivot.data(), sums.data(), squares.data());
    num_pixels += static_cast<double>(view.height * view.width);
  }
  Affine affine{std::vector<float>(count), std::vector<float>(count)};
  const float* wanted_scale = scale.const_data_ptr<float>();
  const float* wanted_shift = shift.const_data_ptr<float>();
  for (std::size_t c = 0; c < count; ++c) {
    const double from_pivot = sums[c] / num_pixels;
    const double variance = std::max(squares[c] / num_pixels - from_pivot * from_pivot, 0.0);
    const double factor = static_cast<double>(wanted_scale[c]) / std::sqrt(variance + epsilon);
    affine.scale[c] = static_cast<float>(factor);
    affine.shift[c] = static_cast<float>(static_cast<double>(wanted_shift[c]) -
                                         (static_cast<double>(pivot[c]) + from_pivot) * factor);
  }
  return affine;
}

void normalise(const PixelView& from, const Affine& affine, const PixelView& to) {
  normalise_kernel(from, affine.scale.data(), affine.shift.data(), to);
}

void normalise_relu(const PixelView& from, const Affine& affine, const PixelView& to) {
  normalise_relu_kernel(from, affine.scale.data(), affine.shift.data(), to);
}

void normalise_add(const PixelView& from, const Affine& affine, const PixelView& to) {
  normalise_add_kernel(from, affine.scale.data(), affine.shift.data(), to);
}

Convolution::Convolution(const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                         std::int64_t groups, at::IntArrayRef typical_input)
    : weight_(weight), bias_(bias), stride_(stride), groups_(groups) {
  if (at::globalContext().hasMKLDNN()) {
    weight_ = at::mkldnn_reorder_conv2d_weight(weight.to_mkldnn(), at::IntArrayRef{0, 0},
                                               at::IntArrayRef{stride, stride}, at::IntArrayRef{1, 1}, groups,
                                               typical_input);
  }
}

at::Tensor Convolution::operator()(const at::Tensor& x) const {
  const auto bias = bias_.defined() ? std::optional<at::Tensor>(bias_) : std::nullopt;
  if (!weight_.is_mkldnn()) {
    return at::conv2d(x, weight_, bias, at::IntArrayRef{stride_, stride_}, at::IntArrayRef{0, 0},
                      at::IntArrayRef{1, 1}, groups_)
        .contiguous(at::MemoryFormat::ChannelsLast);
  }
  static const auto convolution = prepared_convolution();
  return convolution.call(x, weight_, bias, at::IntArrayRef{0, 0}, at::IntArrayRef{stride_, stride_},
                          at::IntArrayRef{1, 1}, groups_, "none", at::List<std::optional<at::Scalar>>(),
                          std::nullopt);
}

}  // namespace atelier::models
