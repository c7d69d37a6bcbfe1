#include "compute_pool.h"

#include <exception>
#include <utility>

#include "atelier/base/stopwatch.h"
#include "atelier/tensor/planes_converter.h"

namespace atelier::pipeline {

ComputePool::ComputePool(const WorkerSetup& setup, tensor::Device device, int num_threads,
                         const EngineFactory& make_engine) {
  for (int i = 0; i < num_threads; ++i) engines_.push_back(make_engine(setup.engine, device));
  for (const auto& engine : engines_) {
    threads_.emplace_back(
        [this, &engine, format = setup.format, device] { compute(*engine, format, device); });
  }
}

ComputePool::~ComputePool() {
  todo_.close();
  done_.close();
  for (std::thread& thread : threads_) thread.join();
}

void ComputePool::compute(models::StyleEngine& engine, const VideoFormat& format, tensor::Device device) {
  models::prepare_compute_thread();
  const tensor::PlanesConverter converter(format, device);
  while (std::optional<WorkItem> item = todo_.pop()) {
    try {
      Stopwatch watch;
      const at::Tensor rgb = converter.to_rgb(item->planes.bytes());
      item->times.convert_s = static_cast<float>(watch.restart_s());
      const at::Tensor styled = engine.stylise(rgb);
      item->times.style_s = static_cast<float>(watch.restart_s());
      Buffer planes = converter.to_planes(styled, item->planes.bytes());
      item->times.convert_s += static_cast<float>(watch.restart_s());
      item->planes = std::move(planes);
    } catch (const std::exception& e) {
      item->error = e.what();
    }
    if (!done_.push(std::move(*item))) return;
  }
}

}  // namespace atelier::pipeline
