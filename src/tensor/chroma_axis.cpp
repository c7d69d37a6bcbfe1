#include "chroma_axis.h"

#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/scalar_tensor.h>

#include <algorithm>
#include <cmath>

namespace atelier::tensor {
namespace {

// Symmetric about the chroma sample; each row of weights undoes linear interpolation and sums to 1.
std::vector<double> inverse_kernel(int log2_factor, bool centred) {
  if (log2_factor == 1) {
    if (centred) return {-1. / 4, 3. / 4, 3. / 4, -1. / 4};
    return {-1. / 8, 2. / 8, 6. / 8, 2. / 8, -1. / 8};
  }
  if (centred) return {-5. / 24, 4. / 24, 13. / 24, 13. / 24, 4. / 24, -5. / 24};
  return {-3. / 16, 2. / 16, 2. / 16, 2. / 16, 10. / 16, 2. / 16, 2. / 16, 2. / 16, -3. / 16};
}

template <typename Taps>
void add_scaled(Taps& sum, const Taps& taps, double scale) {
  for (const auto& [index, weight] : taps) {
    const auto same =
        std::find_if(sum.begin(), sum.end(), [&](const auto& tap) { return tap.first == index; });
    if (same != sum.end()) {
      same->second += weight * scale;
    } else {
      sum.emplace_back(index, weight * scale);
    }
  }
}

}  // namespace

ChromaAxis::ChromaAxis(std::int64_t dim, std::int64_t length, int log2_factor, double offset)
    : dim_(dim),
      length_(length),
      num_chroma_((length + (1 << log2_factor) - 1) >> log2_factor),
      factor_(1 << log2_factor),
      offset_(offset) {
  if (factor_ == 1) return;
  kernel_ = inverse_kernel(log2_factor, offset != std::floor(offset));
  const auto num_taps = static_cast<std::int64_t>(kernel_.size());
  kernel_start_ = std::llround(offset - static_cast<double>(num_taps - 1) / 2);
  const auto inside = [&](std::int64_t k) {
    return factor_ * k + kernel_start_ >= 0 && factor_ * k + kernel_start_ + num_taps <= length_;
  };
  while (first_inner_ < num_chroma_ && !inside(first_inner_)) ++first_inner_;
  end_inner_ = first_inner_;
  while (end_inner_ < num_chroma_ && inside(end_inner_)) ++end_inner_;
  const auto last = last_two();
  for (std::int64_t k = 0; k < num_chroma_; ++k) {
    if (k < first_inner_ || k >= end_inner_) border_rows_.emplace_back(k, border_row(k, last));
  }
}

double ChromaAxis::chroma_position(std::int64_t luma_index) const {
  return (static_cast<double>(luma_index) - offset_) / static_cast<double>(factor_);
}

std::pair<ChromaAxis::Taps, ChromaAxis::Taps> ChromaAxis::last_two() const {
  const auto last_chroma = static_cast<double>(num_chroma_ - 1);
  const double at_last = chroma_position(length_ - 1);
  if (at_last >= last_chroma || num_chroma_ == 1) return {{}, {{length_ - 1, 1}}};
  // Both of the last two luma samples lie between the last two chroma samples: solve for these.
  const double t1 = at_last - (last_chroma - 1);
  const double t2 = chroma_position(length_ - 2) - (last_chroma - 1);
  const double determinant = t1 - t2;
  return {{{length_ - 2, t1 / determinant}, {length_ - 1, -t2 / determinant}},
          {{length_ - 1, (1 - t2) / determinant}, {length_ - 2, -(1 - t1) / determinant}}};
}

ChromaAxis::Taps ChromaAxis::border_row(std::int64_t k, const std::pair<Taps, Taps>& last) const {
  if (k == num_chroma_ - 1 && chroma_position(length_ - 1) < static_cast<double>(k)) return last.second;
  Taps row;
  for (std::size_t t = 0; t < kernel_.size(); ++t) {
    const std::int64_t i = factor_ * k + kernel_start_ + static_cast<std::int64_t>(t);
    if (i < length_) {
      add_scaled(row, Taps{{std::max<std::int64_t>(i, 0), 1}}, kernel_[t]);
      continue;
    }
    const double from_second_last = chroma_position(i) - static_cast<double>(num_chroma_ - 2);
    const double share = std::min(from_second_last, 1.0);
    add_scaled(row, last.second, kernel_[t] * share);
    add_scaled(row, last.first, kernel_[t] * (1 - share));
  }
  return row;
}

at::Tensor ChromaAxis::up(const at::Tensor& chroma) const {
  if (factor_ == 1) return chroma;
  const at::Tensor padded =
      at::cat({chroma.narrow(dim_, 0, 1), chroma, chroma.narrow(dim_, num_chroma_ - 1, 1)}, dim_);
  std::vector<std::int64_t> sizes(chroma.sizes().begin(), chroma.sizes().end());
  const std::size_t axis = static_cast<std::size_t>(dim_);
  sizes.insert(sizes.begin() + dim_ + 1, factor_);
  at::Tensor phases = at::empty(sizes, chroma.options());
  sizes.erase(sizes.begin() + dim_ + 1);
  for (std::int64_t j = 0; j < factor_; ++j) {
    const double position = chroma_position(j);
    const double below = std::floor(position);
    const auto start = static_cast<std::int64_t>(below) + 1;  // 0 or 1 in padded
    at::Tensor out = phases.select(dim_ + 1, j);
    if (position == below) {
      out.copy_(padded.narrow(dim_, start, num_chroma_));
    } else {
      at::lerp_out(out, padded.narrow(dim_, start, num_chroma_), padded.narrow(dim_, start + 1, num_chroma_),
                   position - below);
    }
  }
  sizes[axis] = num_chroma_ * factor_;
  return phases.view(sizes).narrow(dim_, 0, length_);
}

at::Tensor ChromaAxis::down(const at::Tensor& samples) const {
  if (factor_ == 1) return samples;
  std::vector<std::int64_t> sizes(samples.sizes().begin(), samples.sizes().end());
  sizes[static_cast<std::size_t>(dim_)] = num_chroma_;
  at::Tensor chroma = at::empty(sizes, samples.options());
  if (end_inner_ > first_inner_) {
    at::Tensor inner = chroma.narrow(dim_, first_inner_, end_inner_ - first_inner_);
    for (std::size_t t = 0; t < kernel_.size(); ++t) {
      const std::int64_t start = factor_ * first_inner_ + kernel_start_ + static_cast<std::int64_t>(t);
      const std::int64_t end = start + factor_ * (end_inner_ - first_inner_ - 1) + 1;
      const at::Tensor tap = samples.slice(dim_, start, end, factor_);
      if (t == 0) {
        at::mul_out(inner, tap, at::scalar_tensor(kernel_[t], at::kFloat));
      } else {
        inner.add_(tap, kernel_[t]);
      }
    }
  }
  for (const auto& [k, taps] : border_rows_) {
    at::Tensor row = chroma.narrow(dim_, k, 1).zero_();
    for (const auto& [index, weight] : taps) row.add_(samples.narrow(dim_, index, 1), weight);
  }
  return chroma;
}

}  // namespace atelier::tensor
