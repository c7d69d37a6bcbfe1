#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atelier/models/style_engine.h"

/// The engines behind make_engine; each has one file.
namespace atelier::models {

std::unique_ptr<StyleEngine> make_identity_engine();
std::unique_ptr<StyleEngine> make_simulated_engine(const EngineSpec& spec);

/// Throws UsageError that names weights_name if spec.weights are no Johnson network.
void check_feedforward(const EngineSpec& spec, const std::string& weights_name);
std::unique_ptr<StyleEngine> make_feedforward_engine(const EngineSpec& spec, tensor::Device device);

/// The style statistics as a safetensors file. Throws UsageError for weights of another network or no style.
Buffer adaptive_style(const EngineSpec& spec, const std::string& weights_name,
                      const std::vector<StylePicture>& styles);
std::unique_ptr<StyleEngine> make_adaptive_engine(const EngineSpec& spec, tensor::Device device);

/// ATen's names for the project's.
at::Device torch_device(tensor::Device device);
at::ScalarType torch_type(tensor::Precision precision);

/// source + strength * (styled - source); styled may be overwritten. strength 1 returns styled itself.
at::Tensor mix(const at::Tensor& source, at::Tensor styled, double strength);

}  // namespace atelier::models
