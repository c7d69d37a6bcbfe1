#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace atelier::models {

/// frames: N x C x H x W, any H, W >= 1. Grows both sides at their ends to a multiple of `multiple` and at
/// least `least` (a multiple too) by reflection about the border sample, again and again where the picture is
/// small.
at::Tensor reflect_to_multiple(const at::Tensor& frames, std::int64_t multiple, std::int64_t least);

}  // namespace atelier::models
