#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <memory>
#include <span>

#include "atelier/base/buffer.h"
#include "atelier/frame/video_format.h"
#include "atelier/tensor/device.h"

namespace atelier::tensor {

/// Planes ↔ RGB tensor for one video format, in ATen operations that run on CPU and GPU alike.
///
/// RGB is float, nominal [0,1] in the video's own transfer function, not clamped. The matrix follows
/// format.matrix_coefficients (ITU-T H.273), the range follows format.range, chroma goes up linearly for its
/// siting and comes down by an exact left inverse of that interpolation (centred [-1 3 3 -1]/4, co-sited [-1
/// 2 6 2 -1]/8), so to_planes(to_rgb(x)) = x to less than one code value. Alpha is not converted: download
/// copies it from the source.
class PlanesConverter {
 public:
  PlanesConverter(const VideoFormat& format, Device device);

  /// One frame's planes (frame_bytes(format) bytes of host memory) → the same bytes on the device, 1-d uint8.
  /// On the CPU nothing is copied: planes must outlive the result.
  [[nodiscard]] at::Tensor upload(std::span<const std::byte> planes) const;
  /// What upload gave → 1 x 3 x H x W, float32.
  [[nodiscard]] at::Tensor to_rgb(const at::Tensor& planes) const;
  /// 1 x 3 x H x W, floating point → planes as upload gives them, rounded to nearest, clamped to the sample
  /// range [0, 2^depth - 1] (chroma included: out-of-gamut values are kept as far as the samples hold them).
  /// Alpha is left undefined.
  [[nodiscard]] at::Tensor to_planes(const at::Tensor& rgb) const;
  /// The planes in host memory. source: the planes the frame came from, for alpha; may be empty where the
  /// format has none.
  [[nodiscard]] Buffer download(const at::Tensor& planes, std::span<const std::byte> source) const;

  /// upload, then to_rgb.
  [[nodiscard]] at::Tensor to_rgb(std::span<const std::byte> planes) const { return to_rgb(upload(planes)); }
  /// to_planes, then download.
  [[nodiscard]] Buffer to_planes(const at::Tensor& rgb, std::span<const std::byte> source) const {
    return download(to_planes(rgb), source);
  }

  [[nodiscard]] const VideoFormat& format() const { return format_; }

 private:
  struct Plan;
  // count planes of one size, count x height x width, uint8 or uint16: a view of planes.
  [[nodiscard]] at::Tensor samples(const at::Tensor& planes, int first_plane, int count) const;
  void check_size(std::size_t size_bytes) const;

  VideoFormat format_;
  Device device_;
  std::shared_ptr<const Plan> plan_;
};

}  // namespace atelier::tensor
