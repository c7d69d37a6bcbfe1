#include "atelier/training/losses.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/var_mean.h>
#include <ATen/ops/zeros.h>

namespace atelier::training {
namespace {

constexpr double epsilon = 1e-5;
constexpr double largest_error = 20;

/// Squared error over all but the first dimension, against the square of what is wanted; mean over the batch.
at::Tensor relative_error(const at::Tensor& x, const at::Tensor& wanted) {
  const auto squares = [](const at::Tensor& y) { return y.flatten(1).square().sum(1); };
  const at::Tensor error = squares(x - wanted) / (squares(wanted) + epsilon);
  return (error / (error / largest_error + 1)).mean();
}

at::Tensor normalised(const at::Tensor& x) {
  const auto [variance, mean] = at::var_mean(x, at::IntArrayRef{2, 3}, false, true);
  return (x - mean) / (variance + epsilon).sqrt();
}

}  // namespace

std::vector<LayerStyle> style_of(const std::vector<at::Tensor>& features) {
  std::vector<LayerStyle> result;
  for (const at::Tensor& x : features) {
    const at::Tensor mean = x.mean(at::IntArrayRef{2, 3});
    const at::Tensor rows = x.flatten(2) - mean.unsqueeze(2);
    const at::Tensor gram = at::bmm(rows, rows.transpose(1, 2)) / static_cast<double>(rows.size(2));
    result.push_back({gram, mean, (gram.diagonal(0, 1, 2) + epsilon).sqrt()});
  }
  return result;
}

at::Tensor style_loss(const std::vector<LayerStyle>& output, const std::vector<LayerStyle>& style) {
  at::Tensor loss = at::zeros({});
  for (std::size_t i = 0; i < output.size(); ++i)
    loss = loss + relative_error(output[i].gram, style[i].gram) +
           relative_error(output[i].mean, style[i].mean) +
           relative_error(output[i].deviation, style[i].deviation);
  return loss / static_cast<double>(output.size());
}

at::Tensor content_loss(const at::Tensor& output, const at::Tensor& content) {
  return (normalised(output) - normalised(content)).square().mean();
}

at::Tensor total_variation(const at::Tensor& rgb) {
  const auto differences = [&](int dimension) {
    const std::int64_t last = rgb.size(dimension) - 1;
    return (rgb.narrow(dimension, 1, last) - rgb.narrow(dimension, 0, last)).abs().mean();
  };
  return differences(2) + differences(3);
}

at::Tensor range_loss(const at::Tensor& rgb) {
  return (at::relu(rgb - 1) + at::relu(-rgb)).mean();
}

}  // namespace atelier::training
