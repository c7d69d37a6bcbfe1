#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "johnson_weights.h"

namespace atelier::models {

/// The network of Johnson et al. for one size of picture on one CPU thread in fp32, with all the buffers it
/// needs. The same function as the plain network, up to rounding: convolutions behind which a norm stands
/// lose their bias, 3x3 ones at 1/4 of the resolution run by Winograd's algorithm, up-sampling and the
/// convolution behind it become one 2x2 convolution for each of the four phases.
class JohnsonPainter {
 public:
  JohnsonPainter(const JohnsonWeights& weights, std::int64_t height, std::int64_t width);
  ~JohnsonPainter();

  /// frame: 1 x 3 x height x width, any strides, RGB of the network's own range, float32. Returns the same
  /// shape, contiguous.
  [[nodiscard]] at::Tensor paint(const at::Tensor& frame);

 private:
  struct Layers;
  std::unique_ptr<Layers> layers_;
};

}  // namespace atelier::models
