#include "engines.h"

#include <ATen/core/Tensor.h>

namespace atelier::models {

at::Device torch_device(tensor::Device device) {
  if (device.kind == tensor::DeviceKind::cpu) return at::kCPU;
  return {at::kCUDA, static_cast<at::DeviceIndex>(device.index)};
}

at::ScalarType torch_type(tensor::Precision precision) {
  switch (precision) {
    case tensor::Precision::bf16:
      return at::kBFloat16;
    case tensor::Precision::fp16:
      return at::kHalf;
    case tensor::Precision::fp32:
      break;
  }
  return at::kFloat;
}

at::Tensor mix(const at::Tensor& source, at::Tensor styled, double strength) {
  if (strength == 1) return styled;
  return styled.mul_(strength).add_(source, 1 - strength);
}

}  // namespace atelier::models
