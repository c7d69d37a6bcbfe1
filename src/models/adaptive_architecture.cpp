#include "adaptive_architecture.h"

#include "atelier/base/text.h"

namespace atelier::models {
namespace {

using After = AdaptiveLayer::After;

/// 17 kMAC a pixel of the frame, 0.93 M parameters.
const AdaptiveArchitecture to_eighth{
    .network_name = "atelier-adaptive-1",
    .painter = {{"down.half", 3, 16, 4, 2, After::bias},
                {"down.quarter", 16, 48, 4, 2, After::norm},
                {"down.eighth", 48, 72, 4, 2, After::norm},
                {"eighth.0.first", 72, 72, 3, 1, After::norm},
                {"eighth.0.second", 72, 72, 3, 1, After::norm},
                {"eighth.1.first", 72, 72, 3, 1, After::norm},
                {"eighth.1.second", 72, 72, 3, 1, After::norm},
                {"eighth.2.first", 72, 72, 3, 1, After::norm},
                {"eighth.2.second", 72, 72, 3, 1, After::norm},
                {"up.quarter", 72, 48, 3, 1, After::norm},
                {"quarter.0.first", 48, 48, 3, 1, After::norm},
                {"quarter.0.second", 48, 48, 3, 1, After::norm},
                {"quarter.1.first", 48, 48, 3, 1, After::norm},
                {"quarter.1.second", 48, 48, 3, 1, After::norm},
                {"up.half", 48, 24, 3, 1, After::norm},
                {"skip.half", 16, 24, 3, 1, After::nothing},
                {"up.full", 24, 12, 3, 1, After::bias}},
    .encoder = {{"style.half", 3, 24, 4, 2, After::bias},
                {"style.quarter.0", 24, 48, 4, 2, After::bias},
                {"style.quarter.1", 48, 48, 3, 1, After::bias},
                {"style.eighth.0", 48, 64, 4, 2, After::bias},
                {"style.eighth.1", 64, 64, 3, 1, After::bias},
                {"style.sixteenth", 64, 64, 4, 2, After::bias}},
    .has_statistics = {true, false, true, false, true, true},
    .num_hidden = 128,
    .num_residual_sixteenth = 0,
    .num_residual_eighth = 3,
    .num_residual_quarter = 2,
};

/// 15 kMAC a pixel of the frame, 1.0 M parameters: large strokes are made at 1/16, where channels cost
/// little.
const AdaptiveArchitecture to_sixteenth{
    .network_name = "atelier-adaptive-2",
    .painter = {{"down.half", 3, 16, 4, 2, After::bias},
                {"down.quarter", 16, 40, 4, 2, After::norm},
                {"down.eighth", 40, 64, 4, 2, After::norm},
                {"down.sixteenth", 64, 80, 4, 2, After::norm},
                {"sixteenth.0.first", 80, 80, 3, 1, After::norm},
                {"sixteenth.0.second", 80, 80, 3, 1, After::norm},
                {"sixteenth.1.first", 80, 80, 3, 1, After::norm},
                {"sixteenth.1.second", 80, 80, 3, 1, After::norm},
                {"up.eighth", 80, 64, 3, 1, After::norm},
                {"eighth.0.first", 64, 64, 3, 1, After::norm},
                {"eighth.0.second", 64, 64, 3, 1, After::norm},
                {"eighth.1.first", 64, 64, 3, 1, After::norm},
                {"eighth.1.second", 64, 64, 3, 1, After::norm},
                {"up.quarter", 64, 40, 3, 1, After::norm},
                {"quarter.0.first", 40, 40, 3, 1, After::norm},
                {"quarter.0.second", 40, 40, 3, 1, After::norm},
                {"quarter.1.first", 40, 40, 3, 1, After::norm},
                {"quarter.1.second", 40, 40, 3, 1, After::norm},
                {"up.half", 40, 24, 3, 1, After::norm},
                {"skip.half", 16, 24, 3, 1, After::nothing},
                {"up.full", 24, 12, 3, 1, After::bias}},
    .encoder = {{"style.half", 3, 24, 4, 2, After::bias},
                {"style.quarter.0", 24, 40, 4, 2, After::bias},
                {"style.quarter.1", 40, 40, 3, 1, After::bias},
                {"style.eighth.0", 40, 56, 4, 2, After::bias},
                {"style.eighth.1", 56, 56, 3, 1, After::bias},
                {"style.sixteenth", 56, 64, 4, 2, After::bias}},
    .has_statistics = {true, false, true, false, true, true},
    .num_hidden = 64,
    .num_residual_sixteenth = 2,
    .num_residual_eighth = 2,
    .num_residual_quarter = 2,
};

}  // namespace

std::int64_t AdaptiveArchitecture::num_statistics() const {
  std::int64_t channels = 3;
  for (std::size_t i = 0; i < encoder.size(); ++i)
    if (has_statistics[i]) channels += encoder[i].out_channels;
  return 2 * channels;
}

std::map<std::string, std::vector<std::int64_t>> AdaptiveArchitecture::shapes() const {
  std::map<std::string, std::vector<std::int64_t>> result;
  const auto add_convolution = [&](const AdaptiveLayer& layer) {
    result[concat(layer.name, ".weight")] = {layer.out_channels, layer.in_channels, layer.kernel,
                                             layer.kernel};
    if (layer.after == After::bias) result[concat(layer.name, ".bias")] = {layer.out_channels};
  };
  for (const auto& layer : painter) {
    add_convolution(layer);
    if (layer.after != After::norm) continue;
    result[style_predictor(layer.name) + ".weight"] = {2 * layer.out_channels, num_hidden};
    result[style_predictor(layer.name) + ".bias"] = {2 * layer.out_channels};
  }
  for (const auto& layer : encoder) add_convolution(layer);
  result[style_hidden_layer + ".weight"] = {num_hidden, num_statistics()};
  result[style_hidden_layer + ".bias"] = {num_hidden};
  return result;
}

const AdaptiveArchitecture& architecture_named(AdaptiveNetwork::Kind kind) {
  return kind == AdaptiveNetwork::Kind::to_eighth ? to_eighth : to_sixteenth;
}

const AdaptiveArchitecture& architecture_of(const TensorMap& parameters) {
  return parameters.contains("down.sixteenth.weight") ? to_sixteenth : to_eighth;
}

}  // namespace atelier::models
