#pragma once

#include <c10/core/StreamGuard.h>

#include <optional>

#include "atelier/tensor/device.h"

namespace atelier::tensor {

/// While it lives, what the calling thread asks of a GPU goes to a stream of its own, so that copies of one
/// thread run beside the computing of another. On the CPU it does nothing.
class ComputeStream {
 public:
  explicit ComputeStream(Device device);

  /// Waits until the GPU has done what this thread asked of it.
  void synchronise() const;

 private:
  std::optional<c10::StreamGuard> guard_;
};

/// Waits for the GPU's default stream, where a thread without a ComputeStream works.
void synchronise_default_stream(Device device);

}  // namespace atelier::tensor
