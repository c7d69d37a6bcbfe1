#pragma once

#include <cstdint>
#include <string>

namespace atelier::training {

/// What `atelier bench engine` measures: an engine alone, on frames of random samples in memory.
struct EngineBenchmarkConfig {
  std::string engine = "adaptive";  ///< identity, feedforward, adaptive
  std::string model;                ///< safetensors; empty: untrained weights (adaptive only)
  std::string style = "none";       ///< safetensors with a tensor "rgb" (3 x H x W); none: random samples
  std::int64_t width_px = 640;
  std::int64_t height_px = 360;
  int batch = 1;  ///< frames a call
  int repeats = 10;
  int warm_ups = 2;
  std::string device = "cpu";      ///< cpu, cuda
  std::string precision = "fp32";  ///< fp32, bf16, fp16
  int threads = 1;                 ///< callers with an engine each; on a CPU they use one core each
};

struct EngineBenchmark {
  std::string device_name;
  double median_ms = 0;  ///< of one caller's wall clock a frame
  double min_ms = 0;
  double cpu_median_ms = 0;    ///< of the calling thread's CPU time a frame
  double frames_per_s = 0;     ///< all callers together
  double peak_memory_mib = 0;  ///< resident set of the process
};

/// Throws UsageError for unreadable or foreign weights, JobError where the device cannot run the engine.
EngineBenchmark benchmark_engine(const EngineBenchmarkConfig& config);

}  // namespace atelier::training
