#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace atelier::models {

/// Tensors by name: parameters, or what is known of a style.
using TensorMap = std::map<std::string, at::Tensor>;

struct AdaptiveArchitecture;

/// One feed-forward network that paints in the style of any picture (adaptive instance normalisation:
/// arXiv 1703.06868; predicted from the style picture by a network of its own: arXiv 1705.06830).
///
/// The style encoder runs once a style picture and yields a scale and a shift for every instance norm of the
/// painter, and the mean and covariance of the picture's colours, in whose frame the painter paints. The
/// painter runs once a frame: overlapping strided convolutions down to 1/8 or 1/16 of the resolution,
/// residual blocks there and on the way up, bilinear up-sampling with the features of the way down beside it,
/// pixel shuffle from 1/2, and a binomial filter that takes out the 2-pixel weave of the shuffle. Which of
/// the two kinds parameters belong to follows from their names.
class AdaptiveNetwork {
 public:
  enum class Kind {
    to_eighth,     ///< "atelier-adaptive-1": 0.93 M parameters, 17 kMAC a pixel
    to_sixteenth,  ///< "atelier-adaptive-2": 1.0 M parameters, 15 kMAC a pixel, larger strokes
  };
  /// style_statistics of a picture wants its shorter side at this length.
  static constexpr int style_side_px = 256;

  /// parameters: as initial_parameters gives them, of any one floating type, on any one device; shared, not
  /// copied. Call check first where they come from a file.
  explicit AdaptiveNetwork(TensorMap parameters);

  /// Parameters to begin training with; the same bits for the same seed. float32, on the CPU.
  static TensorMap initial_parameters(std::uint64_t seed, Kind kind = Kind::to_sixteenth);
  /// Throws UsageError that names the file if names or shapes are not this network's.
  static void check(const TensorMap& parameters, const std::string& file_name);

  /// styles: N x 3 x H x W, float32 RGB in [0,1], any H, W >= 1, as large as they are to be seen (see
  /// prepare_style). Returns tensors N x 2C, scale and shift for each norm of C channels, and
  /// "palette", N x 12. Keeps gradients of the parameters.
  /// On the CPU in fp32, N = 1 and one thread the bits are the same everywhere on one kind of CPU.
  [[nodiscard]] TensorMap style_statistics(const at::Tensor& styles) const;

  /// content: N x 3 x H x W, RGB, nominal [0,1], not clamped, any H, W >= 1, in the type and on the device of
  /// the parameters. style: N or 1 rows in each tensor; any floating type and device. Returns the same shape
  /// as content, not clamped. Without gradients the frames go one by one on a CPU, so that the bits do not
  /// depend on N.
  [[nodiscard]] at::Tensor stylise(const at::Tensor& content, const TensorMap& style) const;

  [[nodiscard]] const TensorMap& parameters() const { return parameters_; }
  /// What the metadata entry "network" of a weights file says.
  [[nodiscard]] const char* network_name() const;

 private:
  const AdaptiveArchitecture* architecture_;
  TensorMap parameters_;
};

/// rgb: 3 x H x W, float32 in [0,1], CPU. Returns 1 x 3 x h x w with the shorter side at style_side_px and
/// the longer one at most four times as long (the middle of it), filtered against aliasing.
at::Tensor prepare_style(const at::Tensor& rgb);

/// The weighted mean of several styles' statistics; weights are normalised to sum 1.
/// Throws UsageError if there are none, or the weights are negative or all zero.
TensorMap blend_styles(const std::vector<std::pair<TensorMap, double>>& styles);

}  // namespace atelier::models
