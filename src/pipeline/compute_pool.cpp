#include "compute_pool.h"

#include <exception>
#include <utility>

#include "atelier/base/stopwatch.h"
#include "atelier/tensor/compute_stream.h"
#include "atelier/tensor/planes_converter.h"

namespace atelier::pipeline {

ComputePool::ComputePool(const WorkerSetup& setup, tensor::Device device, int num_threads,
                         const EngineFactory& make_engine) {
  for (int i = 0; i < num_threads; ++i) engines_.push_back(make_engine(setup.engine, device));
  tensor::synchronise_default_stream(device);  // where the weights were laid out; the threads have streams
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
  const tensor::ComputeStream stream(device);
  const tensor::PlanesConverter converter(format, device);
  while (std::optional<WorkItem> item = todo_.pop()) {
    try {
      FrameTimes& times = item->times;
      Stopwatch watch;
      const auto lap = [&](float& time_s) {
        stream.synchronise();
        time_s += static_cast<float>(watch.restart_s());
      };
      const at::Tensor planes = converter.upload(item->planes.bytes());
      lap(times.transfer_s);
      const at::Tensor rgb = converter.to_rgb(planes);
      lap(times.convert_s);
      const at::Tensor styled = engine.stylise(rgb);
      lap(times.style_s);
      const at::Tensor styled_planes = converter.to_planes(styled);
      lap(times.convert_s);
      item->planes = converter.download(styled_planes, item->planes.bytes());
      lap(times.transfer_s);
    } catch (const std::exception& e) {
      item->error = e.what();
    }
    if (!done_.push(std::move(*item))) return;
  }
}

}  // namespace atelier::pipeline
