#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/models/adaptive_network.h"
#include "atelier/models/safetensors.h"
#include "engines.h"

namespace atelier::models {
namespace {

TensorMap to_float(const TensorMap& tensors) {
  TensorMap result;
  for (const auto& [name, tensor] : tensors) result[name] = tensor.to(at::kFloat);
  return result;
}

class AdaptiveEngine final : public StyleEngine {
 public:
  AdaptiveEngine(const EngineSpec& spec, tensor::Device device)
      : network_(parameters(spec, device)),
        style_(parse_safetensors(spec.style.bytes(), "style statistics").tensors),
        strength_(spec.strength),
        type_(torch_type(spec.precision)) {
    for (auto& [name, rows] : style_) rows = rows.to(torch_device(device));
  }

  at::Tensor stylise(const at::Tensor& frames) override {
    const c10::InferenceMode inference;
    if (strength_ == 0) return frames;
    std::vector<at::Tensor> painted;  // one by one: the bits do not depend on their number
    for (std::int64_t n = 0; n < frames.size(0); ++n) {
      painted.push_back(
          network_.stylise(frames.narrow(0, n, 1).to(type_), style_).to(at::kFloat).contiguous());
    }
    return mix(frames, painted.size() == 1 ? painted.front() : at::cat(painted, 0), strength_);
  }

 private:
  static TensorMap parameters(const EngineSpec& spec, tensor::Device device) {
    TensorMap result = parse_safetensors(spec.weights.bytes(), "weights").tensors;
    for (auto& [name, tensor] : result) {
      tensor = tensor.to(torch_device(device), torch_type(spec.precision));
      // Convolutions and what follows them take their order from the weights; this one is the fastest.
      if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
    }
    return result;
  }

  AdaptiveNetwork network_;
  TensorMap style_;
  double strength_;
  at::ScalarType type_;
};

}  // namespace

Buffer adaptive_style(const EngineSpec& spec, const std::string& weights_name,
                      const std::vector<StylePicture>& styles) {
  const c10::InferenceMode inference;
  const TensorFile file = parse_safetensors(spec.weights.bytes(), weights_name);
  AdaptiveNetwork::check(file.tensors, weights_name);
  if (styles.empty()) {
    throw UsageError("the engine adaptive has no style picture", "", "Name one with --style.");
  }
  prepare_compute_thread();  // the bits of the statistics do not depend on the root's threads
  const AdaptiveNetwork network(to_float(file.tensors));
  std::vector<std::pair<TensorMap, double>> statistics;
  for (const auto& style : styles) {
    statistics.emplace_back(network.style_statistics(prepare_style(style.rgb)), style.weight);
  }
  TensorFile result;
  result.tensors = blend_styles(statistics);
  return write_safetensors(result);
}

std::unique_ptr<StyleEngine> make_adaptive_engine(const EngineSpec& spec, tensor::Device device) {
  return std::make_unique<AdaptiveEngine>(spec, device);
}

}  // namespace atelier::models
