#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

/// Layers of a network on one CPU thread, on pictures in channels-last order (H x W x C in memory), in which
/// oneDNN's convolutions are fastest. What lies between two convolutions is one pass over memory here, and
/// writes the next convolution's input with its border.
namespace atelier::models {

/// Rows and pixels of floats somewhere in memory; channels of a pixel are neighbours.
struct PixelView {
  float* data = nullptr;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::int64_t row_stride = 0;    ///< floats
  std::int64_t pixel_stride = 0;  ///< floats
};

enum class Border { reflect, replicate };

/// A picture with a border of its own on each side, float32, kept from frame to frame.
class BorderedPicture {
 public:
  BorderedPicture() = default;
  /// extra_rows, extra_columns: behind the bottom and right border, always zero.
  BorderedPicture(std::int64_t channels, std::int64_t height, std::int64_t width, std::int64_t border,
                  std::int64_t extra_rows = 0, std::int64_t extra_columns = 0);
  /// The same memory as a picture of the same inside with a smaller border: only one of the two holds
  /// something.
  [[nodiscard]] BorderedPicture with_border(std::int64_t border) const;

  /// 1 x C x (H + 2 border + extra) x (W + 2 border + extra), channels last.
  [[nodiscard]] const at::Tensor& tensor() const { return tensor_; }
  [[nodiscard]] PixelView inside() const;
  /// Writes the border from the inside. reflect: without the outermost pixel itself; needs H, W > border.
  void fill_border(Border border) const;

 private:
  at::Tensor tensor_;
  std::int64_t height_ = 0;
  std::int64_t width_ = 0;
  std::int64_t border_ = 0;
};

/// A channels-last tensor 1 x C x H x W, or a part of its channels, as a view.
PixelView view_of(const at::Tensor& tensor);
PixelView view_of(const at::Tensor& tensor, std::int64_t first_channel, std::int64_t num_channels);
/// Every second row and pixel of a view, beginning with (row, column).
PixelView every_second(const PixelView& view, std::int64_t row, std::int64_t column);
/// height x width pixels from (row, column) on.
PixelView part_of(const PixelView& view, std::int64_t row, std::int64_t column, std::int64_t height,
                  std::int64_t width);

/// Instance norm of one picture as a scale and a shift for each channel.
struct Affine {
  std::vector<float> scale;
  std::vector<float> shift;
};

/// The instance norm of all the views' pixels together: (x - mean) / sqrt(variance + epsilon) * scale +
/// shift. scale and shift: float32 tensors of C elements. Channels are a multiple of 4.
Affine instance_norm(const std::vector<PixelView>& views, const at::Tensor& scale, const at::Tensor& shift,
                     double epsilon);

/// to = affine(from); same shape, also the same memory.
void normalise(const PixelView& from, const Affine& affine, const PixelView& to);
/// to = relu(affine(from))
void normalise_relu(const PixelView& from, const Affine& affine, const PixelView& to);
/// to += affine(from)
void normalise_add(const PixelView& from, const Affine& affine, const PixelView& to);

/// A convolution without padding, of oneDNN, with weights in the order it likes best.
class Convolution {
 public:
  Convolution() = default;
  /// weight: out x in / groups x kh x kw, float32, CPU. bias: out, or undefined. typical_input: the shape to
  /// prepare for; others work too.
  Convolution(const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride, std::int64_t groups,
              at::IntArrayRef typical_input);

  /// x: 1 x in x H x W, channels last. Returns channels last.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_;
  at::Tensor bias_;
  std::int64_t stride_ = 1;
  std::int64_t groups_ = 1;
};

}  // namespace atelier::models
