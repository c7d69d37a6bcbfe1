#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "atelier/training/picture_set.h"
#include "atelier/training/trainer.h"

namespace atelier::training {

/// A generator whose numbers depend on these three alone, so that a training that resumes draws what it would
/// have drawn without the break.
std::mt19937_64 generator_for(std::uint64_t seed, std::uint64_t purpose, std::uint64_t number);

/// One variant of a style picture: a crop, perhaps mirrored, perhaps with its colours changed.
struct StyleChoice {
  std::size_t picture = 0;
  std::uint64_t variant = 0;
  bool is_photo = false;  ///< the photograph itself is the style

  friend auto operator<=>(const StyleChoice&, const StyleChoice&) = default;
};

struct Batch {
  at::Tensor photos;                 ///< N x 3 x S x S, float32 in [0,1]
  at::Tensor styles;                 ///< the same
  std::vector<StyleChoice> choices;  ///< N
};

/// Draws batches of photographs and styles. Some of both are held aside: a fixed share, by their names.
class Sampler {
 public:
  Sampler(const PictureSet& set, const TrainConfig& config);

  /// What iteration `number` trains on, with crops of size_px.
  [[nodiscard]] Batch batch(std::uint64_t number, int size_px) const;
  /// Batch `number` of those held aside, the same at any time. Empty tensors if there are none.
  [[nodiscard]] Batch aside(std::uint64_t number, int size_px) const;
  [[nodiscard]] bool has_aside() const { return !aside_photos_.empty() && !aside_styles_.empty(); }

 private:
  [[nodiscard]] at::Tensor style(const std::vector<at::Tensor>& styles, StyleChoice choice,
                                 int size_px) const;

  TrainConfig config_;
  std::vector<at::Tensor> photos_, styles_, aside_photos_, aside_styles_;
};

}  // namespace atelier::training
