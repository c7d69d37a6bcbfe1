#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace atelier::training {

/// All take and return float32 and keep gradients of their first argument; results are scalars.

/// What a style looks like in one layer: Gram matrix of the features less their means (N x C x C, by pixel),
/// so that texture counts and not once more the mean; means and deviations (N x C).
struct LayerStyle {
  at::Tensor gram;
  at::Tensor mean;
  at::Tensor deviation;
};
/// features: N x C x H x W each.
std::vector<LayerStyle> style_of(const std::vector<at::Tensor>& features);

/// Mean over layers of the sum of the relative squared errors of Gram matrix, means and deviations. An error
/// e counts as e / (1 + e / 20), so that no picture outweighs the others.
at::Tensor style_loss(const std::vector<LayerStyle>& output, const std::vector<LayerStyle>& style);

/// Mean squared difference of features after instance normalisation: structure counts, colour and contrast do
/// not.
at::Tensor content_loss(const at::Tensor& output, const at::Tensor& content);

/// Mean absolute difference of neighbours, down and across. rgb: N x 3 x H x W.
at::Tensor total_variation(const at::Tensor& rgb);

/// Mean distance of values from [0,1].
at::Tensor range_loss(const at::Tensor& rgb);

}  // namespace atelier::training
