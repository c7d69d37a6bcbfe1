#include "atelier/training/loss_network.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/models/safetensors.h"

namespace atelier::training {
namespace {

/// Names and shapes of the weights that are used.
std::map<std::string, std::vector<std::int64_t>> shapes() {
  std::map<std::string, std::vector<std::int64_t>> result{{"conv1.weight", {64, 3, 3, 3}},
                                                          {"conv1.bias", {64}}};
  const auto add_fire = [&](const std::string& name, std::int64_t in, std::int64_t squeezed,
                            std::int64_t half) {
    result[name + ".squeeze1x1.weight"] = {squeezed, in, 1, 1};
    result[name + ".squeeze1x1.bias"] = {squeezed};
    result[name + ".expand1x1.weight"] = {half, squeezed, 1, 1};
    result[name + ".expand1x1.bias"] = {half};
    result[name + ".expand3x3.weight"] = {half, squeezed, 3, 3};
    result[name + ".expand3x3.bias"] = {half};
  };
  add_fire("fire2", 64, 16, 64);
  add_fire("fire3", 128, 16, 64);
  add_fire("fire4", 128, 32, 128);
  add_fire("fire5", 256, 32, 128);
  return result;
}

at::Tensor halved(const at::Tensor& x) {
  return at::max_pool2d(x, 3, 2);
}

}  // namespace

LossNetwork::LossNetwork(const std::map<std::string, at::Tensor>& tensors, const std::string& file_name)
    : mean_(at::tensor({103.53F, 116.28F, 123.675F}).view({1, 3, 1, 1})) {
  for (const auto& [name, shape] : shapes()) {
    const auto found = tensors.find(name);
    if (found == tensors.end() || found->second.sizes() != at::IntArrayRef(shape) ||
        !found->second.is_floating_point())
      throw UsageError(file_name + " is not the loss network",
                       "tensor " + name + " is missing or has another shape",
                       "Give the weights of SqueezeNet 1.1 as safetensors.");
    tensors_[name] = found->second.to(at::kFloat);
  }
}

LossNetwork LossNetwork::load(const std::filesystem::path& path) {
  return {models::parse_safetensors(read_file(path).bytes(), path.string()).tensors, path.string()};
}

at::Tensor LossNetwork::convolve(const at::Tensor& x, const std::string& layer, int padding) const {
  return at::relu(at::conv2d(x, tensors_.at(layer + ".weight"), tensors_.at(layer + ".bias"), 1, padding));
}

at::Tensor LossNetwork::fire(const at::Tensor& x, const std::string& layer) const {
  const at::Tensor squeezed = convolve(x, layer + ".squeeze1x1", 0);
  return at::cat({convolve(squeezed, layer + ".expand1x1", 0), convolve(squeezed, layer + ".expand3x3", 1)},
                 1);
}

std::vector<at::Tensor> LossNetwork::features(const at::Tensor& rgb) const {
  const at::Tensor conv1 = convolve(rgb.flip(1) * 255 - mean_, "conv1", 0);
  const at::Tensor fire2 = fire(halved(conv1), "fire2");
  const at::Tensor fire3 = fire(fire2, "fire3");
  const at::Tensor fire4 = fire(halved(fire3), "fire4");
  return {conv1, fire2, fire3, fire4, fire(fire4, "fire5")};
}

}  // namespace atelier::training
