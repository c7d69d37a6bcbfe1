#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "atelier/training/loss_network.h"
#include "atelier/training/losses.h"
#include "sampler.h"

namespace atelier::training {

/// What the loss network says of style pictures: computed once for a variant and size, and kept up to a
/// number of bytes.
class StyleTargets {
 public:
  explicit StyleTargets(const LossNetwork& network) : network_(network) {}

  /// Of each picture of the batch; without gradients.
  std::vector<LayerStyle> of(const Batch& batch);

 private:
  std::vector<LayerStyle> computed(const at::Tensor& style) const;

  using Key = std::pair<StyleChoice, std::int64_t>;  // and the side, px
  const LossNetwork& network_;
  std::map<Key, std::vector<LayerStyle>> kept_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace atelier::training
