#include "atelier/training/loss_network.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/reflection_pad2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>

#include <charconv>
#include <set>
#include <string_view>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"

namespace atelier::training {
namespace {

constexpr const char* suggestion = "Give the weights of VGG-16, VGG-19 or SqueezeNet 1.1 as safetensors";

at::Tensor channels(float first, float second, float third) {
  return at::tensor({first, second, third}).view({1, 3, 1, 1});
}

/// Numbers of the convolutions of a VGG file, in order: of features.N.weight or features.N.bias.
std::set<int> vgg_layers(const models::TensorFile& file) {
  std::set<int> numbers;
  for (const auto& [name, tensor] : file.tensors) {
    constexpr std::string_view before = "features.";
    if (!name.starts_with(before)) continue;
    const char* const end = name.data() + name.size();
    int number = 0;
    const auto parsed = std::from_chars(name.data() + before.size(), end, number);
    const std::string_view rest(parsed.ptr, end);
    if (parsed.ec == std::errc() && (rest == ".weight" || rest == ".bias")) numbers.insert(number);
  }
  return numbers;
}

bool is_vgg(const models::TensorFile& file) {
  const auto first = file.tensors.find("features.0.weight");
  return first != file.tensors.end() && first->second.sizes() == at::IntArrayRef({64, 3, 3, 3});
}

}  // namespace

LossNetwork::LossNetwork(const models::TensorFile& file, const std::string& file_name) {
  if (is_vgg(file))
    add_vgg(file);
  else
    add_squeezenet();
  take(file, file_name);
}

void LossNetwork::add_convolution(const std::string& tensor, const Shape& shape, int padding) {
  shapes_[tensor + ".weight"] = shape;
  shapes_[tensor + ".bias"] = {shape[0]};
  steps_.push_back({.kind = Step::Kind::convolution,
                    .tensor = tensor,
                    .size = static_cast<int>(shape[2]),
                    .padding = padding});
}

void LossNetwork::add_fire(const std::string& tensor, std::int64_t in, std::int64_t squeezed,
                           std::int64_t half) {
  const auto add = [&](const std::string& part, const Shape& shape) {
    shapes_[tensor + part + ".weight"] = shape;
    shapes_[tensor + part + ".bias"] = {shape[0]};
  };
  add(".squeeze1x1", {squeezed, in, 1, 1});
  add(".expand1x1", {half, squeezed, 1, 1});
  add(".expand3x3", {half, squeezed, 3, 3});
  steps_.push_back({.kind = Step::Kind::fire, .tensor = tensor});
}

void LossNetwork::add_pool(int size) {
  steps_.push_back({.kind = Step::Kind::max_pool, .tensor = {}, .size = size});
}

void LossNetwork::mark(const std::string& layer) {
  steps_.back().is_feature = true;
  layers_.push_back(layer);
}

void LossNetwork::add_squeezenet() {
  name_ = "SqueezeNet 1.1";
  mean_ = channels(103.53F, 116.28F, 123.675F);
  add_convolution("conv1", {64, 3, 3, 3}, 0);
  mark("conv1");
  add_pool(3);
  add_fire("fire2", 64, 16, 64);
  mark("fire2");
  add_fire("fire3", 128, 16, 64);
  mark("fire3");
  add_pool(3);
  add_fire("fire4", 128, 32, 128);
  mark("fire4");
  add_fire("fire5", 256, 32, 128);
  mark("fire5");
  first_content_layer_ = 3;
}

void LossNetwork::add_vgg(const models::TensorFile& file) {
  const auto input = file.metadata.find("input");
  const bool has_own_input = file.tensors.contains("conv0.weight");
  if (has_own_input) {
    reflects_ = true;
    is_bgr_ = false;
    range_ = 1;
    mean_ = channels(0, 0, 0);
    add_convolution("conv0", {3, 3, 1, 1}, 0);
    steps_.back().has_relu = false;
  } else if (input != file.metadata.end() && input->second.starts_with("BGR 0..255")) {
    mean_ = channels(103.939F, 116.779F, 123.68F);
  } else {
    is_bgr_ = false;
    range_ = 1;
    mean_ = channels(0.485F, 0.456F, 0.406F);
    deviation_ = channels(0.229F, 0.224F, 0.225F);
  }
  const std::set<int> numbers = vgg_layers(file);
  std::string deepest;
  int block = 1;
  int layer = 0;
  int last = -2;
  std::int64_t in = 3;
  for (const int number : numbers) {
    const std::string tensor = concat("features.", number);
    ++layer;
    if (number - last == 3) {
      add_pool(2);
      ++block;
      layer = 1;
    } else if (number - last != 2) {
      shapes_[concat("features.", last + 2, ".weight")] = {};  // missing: take() names it
    }
    last = number;
    const auto weight = file.tensors.find(tensor + ".weight");
    if (weight == file.tensors.end() || weight->second.dim() != 4) {
      shapes_ = {{tensor + ".weight", {}}};  // take() names it, and not what follows from it
      break;
    }
    const std::int64_t out = weight->second.size(0);
    add_convolution(tensor, {out, in, 3, 3}, 1);
    in = out;
    deepest = concat("relu", block, "_", layer);
    if (layer == 1 || number == *numbers.rbegin()) mark(deepest);
  }
  name_ = "VGG to " + deepest;
  first_content_layer_ = layers_.size() - 1;
}

void LossNetwork::take(const models::TensorFile& file, const std::string& file_name) {
  for (const auto& [name, shape] : shapes_) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end() || found->second.sizes() != at::IntArrayRef(shape) ||
        !found->second.is_floating_point())
      throw UsageError(file_name + " is no loss network that is known",
                       concat("tensor ", name, " of ", name_, " is missing or has another shape"),
                       suggestion);
    tensors_[name] = found->second.to(at::kFloat);
  }
}

LossNetwork LossNetwork::load(const std::vector<std::filesystem::path>& paths) {
  models::TensorFile all;
  std::string names;
  for (const auto& path : paths) {
    auto file = models::parse_safetensors(read_file(path).bytes(), path.string());
    all.tensors.merge(file.tensors);
    if (!file.tensors.empty())
      throw UsageError(concat(path.string(), " does not go with the loss networks before it"),
                       concat("tensor ", file.tensors.begin()->first, " is in both"), "Give each file once");
    for (const auto& [key, value] : file.metadata) {
      const auto [entry, is_new] = all.metadata.emplace(key, value);
      if (!is_new && key == "input" && entry->second != value)
        throw UsageError(concat(path.string(), " does not go with the loss networks before it"),
                         "it wants another input", "Give the layers of one network");
    }
    names += (names.empty() ? "" : ", ") + path.string();
  }
  return {all, names};
}

at::Tensor LossNetwork::convolve(const at::Tensor& x, const std::string& tensor, int padding) const {
  const bool reflects = reflects_ && padding > 0;
  return at::conv2d(reflects ? at::reflection_pad2d(x, {padding, padding, padding, padding}) : x,
                    tensors_.at(tensor + ".weight"), tensors_.at(tensor + ".bias"), 1,
                    reflects ? 0 : padding);
}

at::Tensor LossNetwork::run(const Step& step, const at::Tensor& x) const {
  switch (step.kind) {
    case Step::Kind::convolution: {
      const at::Tensor y = convolve(x, step.tensor, step.padding);
      return step.has_relu ? at::relu(y) : y;
    }
    case Step::Kind::fire: {
      const at::Tensor squeezed = at::relu(convolve(x, step.tensor + ".squeeze1x1", 0));
      return at::relu(at::cat({convolve(squeezed, step.tensor + ".expand1x1", 0),
                               convolve(squeezed, step.tensor + ".expand3x3", 1)},
                              1));
    }
    case Step::Kind::max_pool:
      return at::max_pool2d(x, step.size, 2);
  }
  return x;
}

std::vector<at::Tensor> LossNetwork::features(const at::Tensor& rgb) const {
  at::Tensor x = (is_bgr_ ? rgb.flip(1) : rgb) * range_ - mean_;
  if (deviation_.defined()) x = x / deviation_;
  std::vector<at::Tensor> result;
  for (const Step& step : steps_) {
    x = run(step, x);
    if (step.is_feature) result.push_back(x);
  }
  return result;
}

}  // namespace atelier::training
