#pragma once

#include <ATen/core/Tensor.h>

namespace atelier::models {

/// Whether instance_norm_in_place takes this tensor: one float32 picture in channels-last order on the CPU, C
/// a multiple of 4, and no gradients wanted.
bool takes_norm_in_place(const at::Tensor& x);

/// Instance norm in two passes over memory, several times as fast as a batch norm in this order. x: 1 x C x H
/// x W; is overwritten and returned. scale, shift: C elements, float32.
at::Tensor instance_norm_in_place(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& shift,
                                  double epsilon);

}  // namespace atelier::models
