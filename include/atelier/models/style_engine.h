#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/buffer.h"
#include "atelier/tensor/device.h"

namespace atelier::models {

/// What styles frames. One a compute thread or GPU; not shared between threads.
class StyleEngine {
 public:
  virtual ~StyleEngine() = default;
  /// frames: N x 3 x H x W, float RGB, nominal [0,1], not clamped, on the engine's device; any H, W >= 1.
  /// Returns the same shape. Bits do not depend on N nor on the thread that calls.
  virtual at::Tensor stylise(const at::Tensor& frames) = 0;
};

/// An engine that takes a frame as the decoder gave it: its worker converts nothing.
class PlanesEngine : public StyleEngine {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// One frame's planes, styled in place. ready_at: when the frame was there, which may be long ago.
  virtual void stylise_planes(std::span<std::byte> planes, Time ready_at) = 0;
};

/// A style picture: 3 x H x W, float RGB in [0,1], on the CPU.
struct StylePicture {
  at::Tensor rgb;
  double weight = 1;  ///< share among several pictures; they are normalised to sum 1
};

/// Everything an engine is made from; the root makes it, workers get it over the wire.
struct EngineSpec {
  std::string kind = "identity";  ///< identity, simulated, feedforward, adaptive
  double strength = 1;            ///< 0: the source, 1: full style; the result is a linear mix
  tensor::Precision precision = tensor::Precision::fp32;
  Buffer weights;  ///< a whole safetensors file; empty for identity
  Buffer
      style;  ///< safetensors with the style statistics (adaptive), computed at the root on the CPU in fp32
  double simulated_ms = 5;  ///< that the engine `simulated` takes for a frame

  [[nodiscard]] EngineSpec clone() const;
};

/// Reads and checks weights for a kind of engine and computes the style statistics.
/// weights_name is for messages. Throws UsageError for weights that are cut, or of another network.
EngineSpec make_engine_spec(const std::string& kind, Buffer weights, const std::string& weights_name,
                            const std::vector<StylePicture>& styles, double strength,
                            tensor::Precision precision);

/// Throws UsageError where the device cannot run it.
std::unique_ptr<StyleEngine> make_engine(const EngineSpec& spec, tensor::Device device);

/// How many threads of a worker may run an engine each: one for `simulated`, which stands for a GPU; else any
/// number.
int max_callers(const EngineSpec& spec);

/// To be called in each thread that runs an engine on the CPU: one thread inside libtorch, denormals flushed.
void prepare_compute_thread();

}  // namespace atelier::models
