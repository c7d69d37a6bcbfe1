#pragma once

#include <string>

/// What the CUDA runtime knows; the build without CUDA has no GPU.
namespace atelier::tensor::gpu {

#ifdef ATELIER_CUDA
/// 0 where there is no driver or no GPU.
int count();
/// Throws JobError where there is no such GPU.
std::string name(int index);
/// Its UUID. Throws as name does.
std::string uuid(int index);
/// "CUDA 13.0, cuDNN 9.19.0"
std::string library_versions();
#else
inline int count() {
  return 0;
}
inline std::string name(int /*index*/) {
  return "no GPU (built without CUDA)";
}
inline std::string uuid(int /*index*/) {
  return {};
}
inline std::string library_versions() {
  return {};
}
#endif

}  // namespace atelier::tensor::gpu
