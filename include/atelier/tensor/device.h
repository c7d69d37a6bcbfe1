#pragma once

#include <string>
#include <vector>

namespace atelier::tensor {

enum class DeviceKind { cpu, cuda };
enum class Precision { fp32, bf16, fp16 };

/// A device for compute: the CPU, or one GPU.
struct Device {
  DeviceKind kind = DeviceKind::cpu;
  int index = 0;
};

/// GPUs that this process can see; 0 in a build without CUDA.
int num_gpus();
/// Of each of them, by index, something that no other GPU of this machine has.
std::vector<std::string> gpu_ids();
/// "AMD EPYC … (AVX2)" or "NVIDIA H100 80GB HBM3".
std::string device_name(Device device);
/// Instructions that oneDNN may use ("AVX2", "AVX512" …): for people, CPUs of one level may differ.
std::string cpu_capability();
/// "2.11.0", and cuDNN where it is used.
std::string library_versions();
/// Cores that this process may run on.
int num_usable_cores();

}  // namespace atelier::tensor
