#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <string>

#include "atelier/models/safetensors.h"

namespace atelier::training {

/// Random weights in the shapes of the loss networks: enough to have something to learn.
class LossWeights {
 public:
  void add(const std::string& name, std::int64_t out, std::int64_t in, std::int64_t kernel) {
    const double deviation = std::sqrt(2.0 / static_cast<double>(in * kernel * kernel));
    file.tensors[name + ".weight"] = at::randn({out, in, kernel, kernel}, generator_, at::kFloat) * deviation;
    file.tensors[name + ".bias"] = at::zeros({out}, at::kFloat);
  }

  models::TensorFile file;

 private:
  at::Generator generator_ = at::make_generator<at::CPUGeneratorImpl>(9);
};

inline models::TensorFile random_squeezenet() {
  LossWeights weights;
  weights.add("conv1", 64, 3, 3);
  const auto add_fire = [&](const std::string& name, std::int64_t in, std::int64_t squeezed,
                            std::int64_t half) {
    weights.add(name + ".squeeze1x1", squeezed, in, 1);
    weights.add(name + ".expand1x1", half, squeezed, 1);
    weights.add(name + ".expand3x3", half, squeezed, 3);
  };
  add_fire("fire2", 64, 16, 64);
  add_fire("fire3", 128, 16, 64);
  add_fire("fire4", 128, 32, 128);
  add_fire("fire5", 256, 32, 128);
  return weights.file;
}

/// VGG-16 to relu3_1, or VGG-19: they are the same so far.
inline models::TensorFile random_vgg() {
  LossWeights weights;
  weights.add("features.0", 64, 3, 3);
  weights.add("features.2", 64, 64, 3);
  weights.add("features.5", 128, 64, 3);
  weights.add("features.7", 128, 128, 3);
  weights.add("features.10", 256, 128, 3);
  return weights.file;
}

}  // namespace atelier::training
