#include <algorithm>
#include <thread>

#include "engines.h"

namespace atelier::models {
namespace {

/// A GPU that takes the same time for every frame and leaves it as it is: the rest of a job can be measured
/// on machines without one. As a GPU does, it begins a frame that waits when the one before is done, however
/// late its caller comes back.
class SimulatedEngine final : public PlanesEngine {
 public:
  explicit SimulatedEngine(double frame_ms)
      : frame_time_(
            std::chrono::duration_cast<Time::duration>(std::chrono::duration<double, std::milli>(frame_ms))) {
  }

  void stylise_planes(std::span<std::byte> /*planes*/, Time ready_at) override {
    free_at_ = std::max(ready_at, free_at_) + frame_time_;
    std::this_thread::sleep_until(free_at_);
  }

  at::Tensor stylise(const at::Tensor& frames) override {
    for (std::int64_t i = 0; i < frames.size(0); ++i) stylise_planes({}, std::chrono::steady_clock::now());
    return frames;
  }

 private:
  Time::duration frame_time_;
  Time free_at_;
};

}  // namespace

std::unique_ptr<StyleEngine> make_simulated_engine(const EngineSpec& spec) {
  return std::make_unique<SimulatedEngine>(spec.simulated_ms);
}

}  // namespace atelier::models
