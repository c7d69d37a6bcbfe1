#include "palette.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

namespace atelier::models {
namespace {

constexpr double palette_epsilon = 1e-4;  // of a variance: a deviation of 1 %

}  // namespace

at::Tensor palette_of(const at::Tensor& pictures) {
  const at::Tensor basis = at::tensor({std::sqrt(1.0 / 3), std::sqrt(1.0 / 3), std::sqrt(1.0 / 3),  //
                                       std::sqrt(0.5), -std::sqrt(0.5), 0.0,                        //
                                       std::sqrt(1.0 / 6), std::sqrt(1.0 / 6), -std::sqrt(2.0 / 3)},
                                      pictures.options())
                               .view({3, 3});
  const auto row = [&](int i) { return basis[i].view({1, 3, 1, 1}); };
  const at::Tensor mean = pictures.mean(at::IntArrayRef{2, 3}, true);
  std::vector<at::Tensor> x;  // N x H x W each
  for (int i = 0; i < 3; ++i) x.push_back(((pictures - mean) * row(i)).sum(1));
  const auto covariance = [&](int i, int j) {
    return (x[i] * x[j]).mean(at::IntArrayRef{1, 2}) + (i == j ? palette_epsilon : 0.0);
  };
  const at::Tensor l00 = covariance(0, 0).sqrt();
  const at::Tensor l10 = covariance(1, 0) / l00;
  const at::Tensor l20 = covariance(2, 0) / l00;
  const at::Tensor l11 = (covariance(1, 1) - l10 * l10).clamp_min(palette_epsilon).sqrt();
  const at::Tensor l21 = (covariance(2, 1) - l20 * l10) / l11;
  const at::Tensor l22 = (covariance(2, 2) - l20 * l20 - l21 * l21).clamp_min(palette_epsilon).sqrt();
  const auto column = [](const at::Tensor& v) { return v.unsqueeze(1); };
  std::vector<at::Tensor> result{mean.flatten(1)};
  for (int i = 0; i < 3; ++i) {
    result.push_back(column(l00 * basis[0][i] + l10 * basis[1][i] + l20 * basis[2][i]));
    result.push_back(column(l11 * basis[1][i] + l21 * basis[2][i]));
    result.push_back(column(l22 * basis[2][i]));
  }
  return at::cat(result, 1);
}

at::Tensor in_palette(const at::Tensor& x, const at::Tensor& palette) {
  const auto column = [&](std::int64_t first, std::int64_t step) {
    return palette.slice(1, first, std::nullopt, step).slice(1, 0, 3).unsqueeze(2).unsqueeze(3);
  };
  at::Tensor rgb = x.slice(1, 0, 1) * column(3, 3) + column(0, 1);
  rgb = rgb + x.slice(1, 1, 2) * column(4, 3);
  return rgb + x.slice(1, 2, 3) * column(5, 3);
}

}  // namespace atelier::models
