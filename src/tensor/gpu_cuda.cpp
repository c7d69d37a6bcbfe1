#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <cuda_runtime_api.h>

#include <string_view>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "gpu.h"

namespace atelier::tensor::gpu {
namespace {

cudaDeviceProp properties_of(int index) {
  cudaDeviceProp properties{};
  const cudaError_t status = cudaGetDeviceProperties(&properties, index);
  if (status != cudaSuccess) {
    throw JobError(concat("GPU ", index, " cannot be used"), cudaGetErrorString(status),
                   "Check nvidia-smi and CUDA_VISIBLE_DEVICES, or use --device cpu");
  }
  return properties;
}

}  // namespace

int count() {
  int num_devices = 0;
  if (cudaGetDeviceCount(&num_devices) != cudaSuccess) {
    cudaGetLastError();  // no driver or no GPU is an answer, not a failure
    return 0;
  }
  return num_devices;
}

std::string name(int index) {
  return properties_of(index).name;
}

std::string uuid(int index) {
  const cudaUUID_t id = properties_of(index).uuid;
  std::string text;
  for (const char byte : id.bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(byte);
    text += digits[value / 16];
    text += digits[value % 16];
  }
  return text;
}

std::string library_versions() {
  int runtime = 0;
  if (cudaRuntimeGetVersion(&runtime) != cudaSuccess) return {};
  std::string text = concat("CUDA ", runtime / 1000, ".", runtime % 1000 / 10);
  if (at::hasCUDA() && at::detail::getCUDAHooks().hasCuDNN()) {
    const long cudnn = at::detail::getCUDAHooks().versionRuntimeCuDNN();
    text += concat(", cuDNN ", cudnn / 10000, ".", cudnn % 10000 / 100, ".", cudnn % 100);
  }
  return text;
}

}  // namespace atelier::tensor::gpu
