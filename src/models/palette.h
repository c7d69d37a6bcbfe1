#pragma once

#include <ATen/core/Tensor.h>

namespace atelier::models {

/// Mean and spread of each picture's colours, N x 12: mean (3) and matrix (3 x 3, by rows), so that
/// rgb = mean + matrix * x has them for any x of mean 0 and unit covariance. The first of x is lightness, the
/// others are opponent colours (a Cholesky factor in that basis). pictures: N x 3 x H x W, RGB.
at::Tensor palette_of(const at::Tensor& pictures);

/// rgb = mean + matrix * x for each frame; element by element, so that the bits do not depend on threads.
/// x: N x 3 x H x W; palette: N or 1 rows.
at::Tensor in_palette(const at::Tensor& x, const at::Tensor& palette);

}  // namespace atelier::models
