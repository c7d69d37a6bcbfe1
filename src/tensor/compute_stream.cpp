#include "atelier/tensor/compute_stream.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace atelier::tensor {
namespace {

c10::Device gpu(Device device) {
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(device.index)};
}

}  // namespace

ComputeStream::ComputeStream(Device device) {
  if (device.kind != DeviceKind::cuda) return;
  guard_.emplace(c10::impl::VirtualGuardImpl(c10::kCUDA).getStreamFromGlobalPool(gpu(device)));
}

void ComputeStream::synchronise() const {
  if (guard_) guard_->current_stream().synchronize();
}

void synchronise_default_stream(Device device) {
  if (device.kind != DeviceKind::cuda) return;
  c10::impl::VirtualGuardImpl(c10::kCUDA).getDefaultStream(gpu(device)).synchronize();
}

}  // namespace atelier::tensor
