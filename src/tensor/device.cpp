#include "atelier/tensor/device.h"

#include <torch/version.h>

#include <fstream>

#include "atelier/base/cpu_quota.h"
#include "atelier/base/text.h"
#include "gpu.h"

namespace atelier::tensor {
namespace {

std::string cpu_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("model name")) continue;
    const auto colon = line.find(':');
    if (colon != std::string::npos && colon + 2 < line.size()) return line.substr(colon + 2);
  }
  return "CPU";
}

}  // namespace

int num_gpus() {
  return gpu::count();
}

std::vector<std::string> gpu_ids() {
  std::vector<std::string> ids;
  for (int index = 0; index < num_gpus(); ++index) ids.push_back(gpu::uuid(index));
  return ids;
}

std::string device_name(Device device) {
  if (device.kind == DeviceKind::cuda) return gpu::name(device.index);
  return concat(cpu_name(), " (", cpu_capability(), ")");
}

std::string library_versions() {
  std::string text = concat("libtorch ", TORCH_VERSION);
  const std::string gpu_libraries = gpu::library_versions();
  if (!gpu_libraries.empty()) text += ", " + gpu_libraries;
  return text;
}

int num_usable_cores() {
  return atelier::num_usable_cores();
}

}  // namespace atelier::tensor
