#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "channels_last.h"

namespace atelier::models {

/// A 3x3 convolution of stride 1 without bias by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray,
/// arXiv 1509.09308): a quarter of the multiplications. Tiles of 6x6 inputs give 4x4 outputs; between the
/// transforms stand 36 matrix products, which oneDNN runs as one 1x1 convolution of 36 groups.
class WinogradConvolution {
 public:
  static constexpr std::int64_t tile_px = 4;

  WinogradConvolution() = default;
  /// weight: out x in x 3 x 3, float32, CPU; channels are multiples of 4. height, width: of the picture.
  WinogradConvolution(const at::Tensor& weight, std::int64_t height, std::int64_t width);

  /// input: height x width with a border of 1, and rows and columns up to whole tiles behind it (spare()).
  /// output: in whole tiles.
  void operator()(const BorderedPicture& input, const PixelView& output) const;

  /// Pixels between a side's length and the next whole tile.
  static std::int64_t spare(std::int64_t length) { return (tile_px - length % tile_px) % tile_px; }

 private:
  Convolution products_;
  std::int64_t in_channels_ = 0;
  std::int64_t tile_rows_ = 0;
  std::int64_t tile_columns_ = 0;
  std::int64_t band_rows_ = 0;  // tile rows that go through at once
};

}  // namespace atelier::models
