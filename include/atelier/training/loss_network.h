#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace atelier::training {

/// The first layers of SqueezeNet 1.1 (arXiv 1602.07360), trained on ImageNet, as a measure of pictures. Its
/// first convolution runs at stride 1 instead of 2: style losses are then free of speckle.
class LossNetwork {
 public:
  /// tensors: conv1.weight, conv1.bias, fire2.squeeze1x1.weight … fire5.expand3x3.bias, any floating type;
  /// others are ignored. Input of that network: BGR, 0..255, less its mean. Throws UsageError that names
  /// the file for weights of another network.
  LossNetwork(const std::map<std::string, at::Tensor>& tensors, const std::string& file_name);

  /// The same from a safetensors file.
  static LossNetwork load(const std::filesystem::path& path);

  /// rgb: N x 3 x H x W, float32, nominal [0,1], H and W >= 16.
  /// Returns conv1, fire2, fire3, fire4, fire5: N x C x h x w each. Keeps gradients of rgb.
  [[nodiscard]] std::vector<at::Tensor> features(const at::Tensor& rgb) const;

 private:
  [[nodiscard]] at::Tensor convolve(const at::Tensor& x, const std::string& layer, int padding) const;
  [[nodiscard]] at::Tensor fire(const at::Tensor& x, const std::string& layer) const;

  std::map<std::string, at::Tensor> tensors_;
  at::Tensor mean_;
};

}  // namespace atelier::training
