#include "bench_engine_command.h"

#include <boost/program_options.hpp>
#include <iostream>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "atelier/training/engine_benchmark.h"
#include "parse.h"

namespace atelier::cli {
namespace {

namespace options = boost::program_options;

options::options_description described(training::EngineBenchmarkConfig& c) {
  options::options_description result("atelier bench engine", 100);
  auto add = result.add_options();
  add("help,h", "show this text");
  add("engine", options::value(&c.engine)->default_value(c.engine), "adaptive, feedforward or identity");
  add("model", options::value(&c.model), "weights (safetensors); default for adaptive: untrained ones");
  add("style", options::value(&c.style)->default_value(c.style),
      "style picture as safetensors (rgb: 3 x H x W in [0,1]), or none: random samples");
  add("width", options::value(&c.width_px)->default_value(c.width_px), "of a frame, px");
  add("height", options::value(&c.height_px)->default_value(c.height_px), "of a frame, px");
  add("batch", options::value(&c.batch)->default_value(c.batch), "frames a call");
  add("repeats", options::value(&c.repeats)->default_value(c.repeats),
      "calls that are measured, each thread");
  add("warm-ups", options::value(&c.warm_ups)->default_value(c.warm_ups), "calls before, each thread");
  add("device", options::value(&c.device)->default_value(c.device), "cpu or cuda");
  add("precision", options::value(&c.precision)->default_value(c.precision), "fp32, bf16 or fp16");
  add("threads", options::value(&c.threads)->default_value(c.threads),
      "callers at the same time, an engine each (CPU: one core each)");
  return result;
}

}  // namespace

int bench_engine_command(const std::vector<std::string>& arguments) {
  training::EngineBenchmarkConfig config;
  const auto description = described(config);
  const options::variables_map values = parse_arguments("bench engine", arguments, description);
  if (values.contains("help")) {
    std::cout << description;
    return static_cast<int>(ExitCode::done);
  }
  const auto result = training::benchmark_engine(config);
  std::cout << "engine,device,device_name,precision,width_px,height_px,batch,threads,repeats,warm_ups,"
               "median_ms,min_ms,cpu_median_ms,frames_per_s,peak_memory_mib,git_sha\n"
            << config.engine << ',' << config.device << ",\"" << result.device_name << "\","
            << config.precision << ',' << config.width_px << ',' << config.height_px << ',' << config.batch
            << ',' << config.threads << ',' << config.repeats << ',' << config.warm_ups << ','
            << fixed(result.median_ms, 3) << ',' << fixed(result.min_ms, 3) << ','
            << fixed(result.cpu_median_ms, 3) << ',' << fixed(result.frames_per_s, 3) << ','
            << fixed(result.peak_memory_mib, 1) << ',' << git_sha() << '\n';
  return static_cast<int>(ExitCode::done);
}

}  // namespace atelier::cli
