#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <string>

#include "atelier/models/safetensors.h"

namespace atelier::models {

struct ConvolutionWeights {
  at::Tensor weight;  ///< out x in x k x k
  at::Tensor bias;    ///< out
};

struct NormWeights {
  at::Tensor scale;  ///< channels
  at::Tensor shift;
};

struct ResidualWeights {
  ConvolutionWeights conv1;
  NormWeights norm1;
  ConvolutionWeights conv2;
  NormWeights norm2;
};

/// Parameters of the feed-forward network of Johnson et al. (arXiv 1603.08155) with instance norm and nearest
/// up-sampling, as float32 on the CPU: 3-32-64-128 channels, five residual blocks, 128-64-32-3.
struct JohnsonWeights {
  std::array<ConvolutionWeights, 3> down;
  std::array<NormWeights, 3> down_norms;
  std::array<ResidualWeights, 5> residuals;
  std::array<ConvolutionWeights, 3> up;  ///< the last one has no norm
  std::array<NormWeights, 2> up_norms;
};

/// From a file in the naming of pytorch/examples fast_neural_style (conv1.conv2d.weight, in1.weight,
/// res1.conv1.conv2d.weight …; old running statistics are passed over), or in the short one (c1.conv.weight,
/// n1.weight, res.0.c1.conv.weight …). Throws UsageError that names the file for anything else.
JohnsonWeights johnson_weights(const TensorFile& file, const std::string& name);

}  // namespace atelier::models
