#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "atelier/models/adaptive_network.h"

namespace atelier::models {

/// A convolution of an adaptive network. Borders are replicated.
struct AdaptiveLayer {
  enum class After { norm, bias, nothing };  ///< what follows
  const char* name;
  int in_channels;
  int out_channels;
  int kernel;
  int stride;
  After after;
};

/// The layers of one adaptive network. Names begin with the part of the resolution at which a layer's result
/// lies, or with the way to it.
struct AdaptiveArchitecture {
  const char* network_name;  ///< metadata entry "network" of a weights file
  std::vector<AdaptiveLayer> painter;
  std::vector<AdaptiveLayer> encoder;  ///< of style pictures
  std::vector<bool>
      has_statistics;          ///< whether the style is described by the encoder layer's means and deviations
  int num_hidden;              ///< between those and the scales and shifts
  int num_residual_sixteenth;  ///< blocks; 0: the network goes down to 1/8 only
  int num_residual_eighth;
  int num_residual_quarter;

  [[nodiscard]] int size_multiple() const { return num_residual_sixteenth > 0 ? 16 : 8; }
  [[nodiscard]] std::int64_t num_statistics() const;
  /// Every parameter's name and shape.
  [[nodiscard]] std::map<std::string, std::vector<std::int64_t>> shapes() const;
};

/// Names of the linear layers behind the style statistics.
inline const std::string style_hidden_layer = "style.hidden";
inline std::string style_predictor(const std::string& layer) {
  return "style.to." + layer;
}

const AdaptiveArchitecture& architecture_named(AdaptiveNetwork::Kind kind);
/// The one whose layers these parameters have, by the layers that only one has.
const AdaptiveArchitecture& architecture_of(const TensorMap& parameters);

}  // namespace atelier::models
