#include "atelier/training/engine_benchmark.h"

#include <gtest/gtest.h>

#include "atelier/base/error.h"

namespace atelier::training {
namespace {

EngineBenchmarkConfig small(const std::string& engine) {
  EngineBenchmarkConfig config;
  config.engine = engine;
  config.width_px = 40;
  config.height_px = 30;
  config.repeats = 3;
  config.warm_ups = 1;
  return config;
}

TEST(EngineBenchmark, MeasuresEveryCaller) {
  EngineBenchmarkConfig config = small("adaptive");
  config.threads = 2;
  config.batch = 2;
  const EngineBenchmark result = benchmark_engine(config);
  EXPECT_GT(result.min_ms, 0);
  EXPECT_GE(result.median_ms, result.min_ms);
  EXPECT_GT(result.cpu_median_ms, 0);
  // Two callers cannot be more than twice as fast as the fastest call.
  EXPECT_GT(result.frames_per_s, 0);
  EXPECT_LE(result.frames_per_s, 2 * 1000 / result.min_ms);
  EXPECT_FALSE(result.device_name.empty());
}

TEST(EngineBenchmark, RefusesWhatItCannotMeasure) {
  EXPECT_THROW(benchmark_engine(small("feedforward")), UsageError);  // no weights
  EXPECT_THROW(benchmark_engine(small("pencil")), UsageError);
  EngineBenchmarkConfig config = small("identity");
  config.threads = 0;
  EXPECT_THROW(benchmark_engine(config), UsageError);
  config = small("identity");
  config.device = "abacus";
  EXPECT_THROW(benchmark_engine(config), UsageError);
  config = small("adaptive");
  config.precision = "fp16";
  EXPECT_THROW(benchmark_engine(config), UsageError);  // on a CPU
  config = small("adaptive");
  config.model = "/nowhere/weights.safetensors";
  EXPECT_THROW(benchmark_engine(config), UsageError);
}

}  // namespace
}  // namespace atelier::training
