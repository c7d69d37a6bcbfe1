#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace atelier::tensor {

/// Linear interpolation of subsampled chroma along one axis, and its exact left inverse.
///
/// Chroma sample k lies at luma position factor * k + offset; beyond the first and last chroma sample the
/// value stays. down(up(c)) = c in exact arithmetic for every length, odd ones included: inside by short
/// kernels (factor 2: [-1 3 3 -1]/4 centred, [-1 2 6 2 -1]/8 co-sited), and at the ends by the same kernels
/// on what up() would have written beyond the picture.
class ChromaAxis {
 public:
  /// dim: the tensor's dimension. length: luma samples. log2_factor: 0, 1 or 2. offset: 0 (co-sited),
  /// (factor - 1) / 2 (centred) or factor - 1.
  ChromaAxis(std::int64_t dim, std::int64_t length, int log2_factor, double offset);

  /// ceil(length / factor) samples → length samples. Floating point, any other dimensions.
  [[nodiscard]] at::Tensor up(const at::Tensor& chroma) const;
  /// length samples → ceil(length / factor) samples.
  [[nodiscard]] at::Tensor down(const at::Tensor& samples) const;

 private:
  using Taps = std::vector<std::pair<std::int64_t, double>>;  // luma index, weight
  [[nodiscard]] double chroma_position(std::int64_t luma_index) const;
  // The last two chroma samples in terms of luma samples; the first is empty where it is not needed.
  [[nodiscard]] std::pair<Taps, Taps> last_two() const;
  [[nodiscard]] Taps border_row(std::int64_t k, const std::pair<Taps, Taps>& last) const;

  std::int64_t dim_;
  std::int64_t length_;
  std::int64_t num_chroma_;
  std::int64_t factor_;
  double offset_;
  std::int64_t kernel_start_ = 0;  // luma index of the kernel's first tap, relative to factor * k
  std::vector<double> kernel_;
  std::int64_t first_inner_ = 0;  // rows [first_inner_, end_inner_) use the kernel as it is
  std::int64_t end_inner_ = 0;
  std::vector<std::pair<std::int64_t, Taps>> border_rows_;
};

}  // namespace atelier::tensor
