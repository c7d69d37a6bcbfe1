#include "compute_pool.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "atelier/base/exception_text.h"
#include "atelier/base/stopwatch.h"
#include "atelier/tensor/compute_stream.h"
#include "atelier/tensor/planes_converter.h"
#include "trial_frame.h"

namespace atelier::pipeline {
namespace {

// Planes → tensor → engine → planes.
class TensorStyler {
 public:
  TensorStyler(models::StyleEngine& engine, const VideoFormat& format, tensor::Device device)
      : engine_(engine), stream_(device), converter_(format, device) {}

  void operator()(WorkItem& item) const {
    FrameTimes& times = item.times;
    Stopwatch watch;
    const auto lap = [&](float& time_s) {
      stream_.synchronise();
      time_s += static_cast<float>(watch.restart_s());
    };
    const at::Tensor planes = converter_.upload(item.planes.bytes());
    lap(times.transfer_s);
    const at::Tensor rgb = converter_.to_rgb(planes);
    lap(times.convert_s);
    const at::Tensor styled = engine_.stylise(rgb);
    lap(times.style_s);
    const at::Tensor styled_planes = converter_.to_planes(styled);
    lap(times.convert_s);
    item.planes = converter_.download(styled_planes, item.planes.bytes());
    lap(times.transfer_s);
  }

 private:
  models::StyleEngine& engine_;
  tensor::ComputeStream stream_;
  tensor::PlanesConverter converter_;
};

class PlanesStyler {
 public:
  explicit PlanesStyler(models::PlanesEngine& engine) : engine_(engine) {}

  void operator()(WorkItem& item) {
    const auto start = std::max(item.ready_at, last_end_);
    engine_.stylise_planes(item.planes.bytes(), item.ready_at);
    last_end_ = std::chrono::steady_clock::now();
    item.times.style_s = std::chrono::duration<float>(last_end_ - start).count();
  }

 private:
  models::PlanesEngine& engine_;
  models::PlanesEngine::Time last_end_;
};

}  // namespace

ComputePool::ComputePool(const WorkerSetup& setup, tensor::Device device, int num_threads,
                         const EngineFactory& make_engine, Stopwatch clock)
    : clock_(clock) {
  for (int i = 0; i < num_threads; ++i) engines_.push_back(make_engine(setup.engine, device));
  tensor::synchronise_default_stream(device);  // where the weights were laid out; the threads have streams
  for (const auto& engine : engines_) {
    const bool is_first = threads_.empty();
    threads_.emplace_back([this, &engine, format = setup.format, device, is_first] {
      models::prepare_compute_thread();
      auto* takes_planes = dynamic_cast<models::PlanesEngine*>(engine.get());
      if (is_first) {
        const bool needs_trial = takes_planes == nullptr && device.kind == tensor::DeviceKind::cpu;
        trial_.set_value(needs_trial ? trial_frame_bits(*engine, format) : std::string());
      }
      if (takes_planes != nullptr) {
        PlanesStyler style(*takes_planes);
        compute(style);
      } else {
        TensorStyler style(*engine, format, device);
        compute(style);
      }
    });
  }
}

ComputePool::~ComputePool() {
  todo_.close();
  done_.close();
  for (std::thread& thread : threads_) thread.join();
}

template <typename Styler>
void ComputePool::compute(Styler& style) {
  while (std::optional<WorkItem> item = todo_.pop()) {
    try {
      style(*item);
      FrameTimes& times = item->times;
      times.style_begin_s =
          clock_.seconds_s() - static_cast<double>(times.transfer_s + times.convert_s + times.style_s);
    } catch (const std::exception& e) {
      item->error = exception_text(e);
    }
    if (!done_.push(std::move(*item))) return;
  }
}

}  // namespace atelier::pipeline
