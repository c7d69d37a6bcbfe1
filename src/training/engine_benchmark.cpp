#include "atelier/training/engine_benchmark.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/rand.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <barrier>
#include <exception>
#include <thread>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/memory.h"
#include "atelier/base/statistics.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "atelier/models/adaptive_network.h"
#include "atelier/models/safetensors.h"
#include "atelier/models/style_engine.h"
#include "atelier/tensor/cpu_code_paths.h"
#include "atelier/tensor/device.h"

namespace atelier::training {
namespace {

constexpr std::uint64_t seed = 1;

at::Tensor random_samples(at::IntArrayRef shape) {
  return at::rand(shape, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
}

models::StylePicture style_picture(const std::string& style) {
  if (style == "none") return {random_samples({3, 256, 256})};
  const auto file = models::parse_safetensors(read_file(style).bytes(), style);
  const auto found = file.tensors.find("rgb");
  if (found == file.tensors.end() || found->second.dim() != 3 || found->second.size(0) != 3) {
    throw UsageError(style + " holds no style picture", "a tensor rgb of 3 x H x W is wanted");
  }
  return {found->second.to(at::kFloat)};
}

tensor::Precision precision_of(const std::string& name) {
  if (name == "fp32") return tensor::Precision::fp32;
  if (name == "bf16") return tensor::Precision::bf16;
  if (name == "fp16") return tensor::Precision::fp16;
  throw UsageError(concat("--precision ", name, " is unknown"), "", "Use fp32, bf16 or fp16.");
}

models::EngineSpec engine_spec(const EngineBenchmarkConfig& config) {
  Buffer weights;
  if (!config.model.empty()) {
    weights = read_file(config.model);
  } else if (config.engine == "adaptive") {
    models::TensorFile file;
    file.tensors = models::AdaptiveNetwork::initial_parameters(seed);
    weights = models::write_safetensors(file);
  } else if (config.engine != "identity") {
    throw UsageError(concat("the engine ", config.engine, " has no weights"), "", "Name them with --model.");
  }
  std::vector<models::StylePicture> styles;
  if (config.engine == "adaptive") styles.push_back(style_picture(config.style));
  return models::make_engine_spec(config.engine, std::move(weights), config.model, styles, 1,
                                  precision_of(config.precision));
}

struct Times {
  std::vector<double> wall_ms;  // a frame
  std::vector<double> cpu_ms;
  double start_s = 0;  // by a clock that all callers share
  double end_s = 0;
  std::exception_ptr failure;
};

void measure(const EngineBenchmarkConfig& config, const models::EngineSpec& spec, tensor::Device device,
             std::barrier<>& all_warm, const Stopwatch& clock, Times& times) {
  const c10::InferenceMode inference;
  bool waited = false;
  try {
    models::prepare_compute_thread();
    const auto engine = models::make_engine(spec, device);
    const bool cuda = device.kind == tensor::DeviceKind::cuda;
    const at::Tensor frames =
        random_samples({config.batch, 3, config.height_px, config.width_px}).to(cuda ? at::kCUDA : at::kCPU);
    const auto style = [&] {
      const at::Tensor styled = engine->stylise(frames);
      if (cuda) styled[0][0][0][0].cpu();  // waits until it is computed
    };
    for (int i = 0; i < config.warm_ups; ++i) style();
    waited = true;
    all_warm.arrive_and_wait();
    times.start_s = clock.seconds_s();
    for (int i = 0; i < config.repeats; ++i) {
      const double cpu_s = thread_cpu_seconds_s();
      const Stopwatch watch;
      style();
      times.wall_ms.push_back(watch.seconds_s() * 1000 / config.batch);
      times.cpu_ms.push_back((thread_cpu_seconds_s() - cpu_s) * 1000 / config.batch);
    }
    times.end_s = clock.seconds_s();
  } catch (...) {
    times.failure = std::current_exception();
    if (!waited) all_warm.arrive_and_drop();
  }
}

}  // namespace

EngineBenchmark benchmark_engine(const EngineBenchmarkConfig& config) {
  tensor::pin_cpu_code_paths();  // as a job does
  if (config.device != "cpu" && config.device != "cuda") {
    throw UsageError(concat("--device ", config.device, " is unknown"), "", "Use cpu or cuda.");
  }
  if (std::min({config.width_px, config.height_px, std::int64_t{config.batch}, std::int64_t{config.repeats},
                std::int64_t{config.threads}}) < 1 ||
      config.warm_ups < 0) {
    throw UsageError("a size or count is below 1", "", "See atelier bench engine --help.");
  }
  tensor::Device device;
  if (config.device == "cuda") device.kind = tensor::DeviceKind::cuda;
  const models::EngineSpec spec = engine_spec(config);

  std::vector<Times> times(static_cast<std::size_t>(config.threads));
  std::barrier<> all_warm(config.threads);
  const Stopwatch clock;
  std::vector<std::thread> callers;
  for (auto& own : times) {
    callers.emplace_back([&] { measure(config, spec, device, all_warm, clock, own); });
  }
  for (auto& caller : callers) caller.join();
  std::vector<double> wall_ms, cpu_ms;
  double start_s = times.front().start_s;
  double end_s = 0;
  for (const auto& own : times) {
    if (own.failure) std::rethrow_exception(own.failure);
    start_s = std::min(start_s, own.start_s);
    end_s = std::max(end_s, own.end_s);
    wall_ms.insert(wall_ms.end(), own.wall_ms.begin(), own.wall_ms.end());
    cpu_ms.insert(cpu_ms.end(), own.cpu_ms.begin(), own.cpu_ms.end());
  }
  return {tensor::device_name(device),
          median(wall_ms),
          *std::min_element(wall_ms.begin(), wall_ms.end()),
          median(cpu_ms),
          static_cast<double>(config.repeats) * config.batch * config.threads / (end_s - start_s),
          static_cast<double>(peak_memory_bytes()) / (1 << 20)};
}

}  // namespace atelier::training
