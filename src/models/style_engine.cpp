#include "atelier/models/style_engine.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <malloc.h>

#include <limits>
#include <mutex>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "engines.h"

namespace atelier::models {
namespace {

bool computes(const std::string& kind) {
  return kind != "identity" && kind != "simulated";
}

}  // namespace

EngineSpec EngineSpec::clone() const {
  return {kind, strength, precision, weights.clone(), style.clone(), simulated_ms};
}

EngineSpec make_engine_spec(const std::string& kind, Buffer weights, const std::string& weights_name,
                            const std::vector<StylePicture>& styles, double strength,
                            tensor::Precision precision) {
  if (!(strength >= 0 && strength <= 1)) {
    throw UsageError(concat("--strength ", strength, " is out of range"), "0 is the source, 1 the full style",
                     "Give a number from 0 to 1.");
  }
  EngineSpec spec{kind, strength, precision, std::move(weights), {}};
  if (!computes(kind)) {
    spec.weights = {};
  } else if (kind == "feedforward") {
    check_feedforward(spec, weights_name);
  } else if (kind == "adaptive") {
    spec.style = adaptive_style(spec, weights_name, styles);
  } else {
    throw UsageError(concat("engine ", kind, " is unknown"), "",
                     "Use adaptive, feedforward, identity or simulated.");
  }
  return spec;
}

std::unique_ptr<StyleEngine> make_engine(const EngineSpec& spec, tensor::Device device) {
  if (device.kind == tensor::DeviceKind::cuda && device.index >= tensor::num_gpus()) {
    throw UsageError(concat("GPU ", device.index, " cannot be used"),
                     concat(tensor::num_gpus(), " GPUs are visible"), "Use --device cpu.");
  }
  if (device.kind == tensor::DeviceKind::cpu && spec.precision != tensor::Precision::fp32 &&
      computes(spec.kind)) {
    throw UsageError("the CPU computes in fp32 only", "--precision bf16 and fp16 are for GPUs",
                     "Use --precision fp32 or --device cuda.");
  }
  if (device.kind == tensor::DeviceKind::cuda) {
    at::globalContext().setBenchmarkCuDNN(false);
    at::globalContext().setDeterministicCuDNN(true);
  }
  if (spec.kind == "identity") return make_identity_engine();
  if (spec.kind == "simulated") return make_simulated_engine(spec);
  if (spec.kind == "feedforward") return make_feedforward_engine(spec, device);
  if (spec.kind == "adaptive") return make_adaptive_engine(spec, device);
  throw JobError(concat("engine ", spec.kind, " is unknown"), "root and workers are of different versions");
}

int max_callers(const EngineSpec& spec) {
  return spec.kind == "simulated" ? 1 : std::numeric_limits<int>::max();
}

void prepare_compute_thread() {
#ifdef __GLIBC__
  // Keep freed memory for the next frame's tensors: giving it back and clearing it anew takes a fifth of the
  // time. 32 MiB is the most that glibc takes as the size from which on allocations are mapped.
  static std::once_flag once;
  std::call_once(once, [] {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
  });
#endif
  at::set_num_threads(1);
  at::globalContext().setFlushDenormal(true);
}

}  // namespace atelier::models
