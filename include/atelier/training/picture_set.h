#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <random>
#include <span>
#include <string>

namespace atelier::training {

/// Photographs and style pictures to train with, as 8-bit RGB in memory; saved and loaded as one safetensors
/// file, so that a machine without any picture decoder can train.
class PictureSet {
 public:
  enum class Kind { photo, style };

  /// Pictures are scaled to this shorter side; of long ones the middle, at most twice as long, is kept.
  explicit PictureSet(int short_side_px) : short_side_px_(short_side_px) {}

  /// rgb: height_px x width_px x 3, interleaved, [0,1]. A second picture of the same name replaces the first.
  void add(Kind kind, const std::string& name, int width_px, int height_px, std::span<const float> rgb);

  /// Throws JobError.
  void save(const std::filesystem::path& path) const;
  /// Throws UsageError for a file that is no such set.
  static PictureSet load(const std::filesystem::path& path);

  [[nodiscard]] int short_side_px() const { return short_side_px_; }
  /// By name: H x W x 3, uint8.
  [[nodiscard]] const std::map<std::string, at::Tensor>& pictures(Kind kind) const {
    return kind == Kind::photo ? photos_ : styles_;
  }

 private:
  int short_side_px_;
  std::map<std::string, at::Tensor> photos_;
  std::map<std::string, at::Tensor> styles_;
};

/// A random square of a picture (H x W x 3, uint8), at least size_px and at most the shorter side long,
/// scaled to size_px (filtered), mirrored half of the time: 1 x 3 x size_px x size_px, float32 in [0,1].
at::Tensor random_crop(const at::Tensor& picture, int size_px, std::mt19937_64& random);

}  // namespace atelier::training
