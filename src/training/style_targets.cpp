#include "style_targets.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

namespace atelier::training {
namespace {

constexpr std::size_t max_kept_bytes = std::size_t{3} << 30;

std::size_t bytes_of(const std::vector<LayerStyle>& style) {
  std::size_t bytes = 0;
  for (const auto& layer : style)
    bytes += layer.gram.nbytes() + layer.mean.nbytes() + layer.deviation.nbytes();
  return bytes;
}

}  // namespace

std::vector<LayerStyle> StyleTargets::computed(const at::Tensor& style) const {
  const at::NoGradGuard no_grad;
  return style_of(network_.features(style));
}

std::vector<LayerStyle> StyleTargets::of(const Batch& batch) {
  std::vector<std::vector<LayerStyle>> all;
  for (std::size_t i = 0; i < batch.choices.size(); ++i) {
    const StyleChoice choice = batch.choices[i];
    const at::Tensor style =
        batch.styles.slice(0, static_cast<std::int64_t>(i), static_cast<std::int64_t>(i) + 1);
    const Key key{choice, style.size(2)};
    const auto found = choice.is_photo ? kept_.end() : kept_.find(key);
    if (found != kept_.end()) {
      all.push_back(found->second);
      continue;
    }
    all.push_back(computed(style));
    const std::size_t bytes = bytes_of(all.back());
    if (choice.is_photo || kept_bytes_ + bytes > max_kept_bytes) continue;
    kept_bytes_ += bytes;
    kept_[key] = all.back();
  }
  std::vector<LayerStyle> result;
  for (std::size_t layer = 0; layer < all.front().size(); ++layer) {
    const auto joined = [&](at::Tensor LayerStyle::*part) {
      std::vector<at::Tensor> rows;
      for (const auto& style : all) rows.push_back(style[layer].*part);
      return at::cat(rows, 0);
    };
    result.push_back({joined(&LayerStyle::gram), joined(&LayerStyle::mean), joined(&LayerStyle::deviation)});
  }
  return result;
}

}  // namespace atelier::training
