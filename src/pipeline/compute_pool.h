#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "atelier/base/buffer.h"
#include "atelier/base/stopwatch.h"
#include "atelier/pipeline/blocking_queue.h"
#include "atelier/pipeline/protocol.h"
#include "atelier/pipeline/worker.h"

namespace atelier::pipeline {

/// One frame on its way through a worker.
struct WorkItem {
  std::int64_t chunk_index = 0;
  std::int64_t frame_index = 0;
  Buffer planes;  ///< in: as decoded; out: styled, or as decoded where error says why not
  FrameTimes times;
  std::string error;
  std::chrono::steady_clock::time_point ready_at;  ///< when the pool got it
};

/// The threads of a worker that compute: planes → tensor → engine → planes, one frame a call, an engine for
/// each thread. An engine that takes planes gets them as they are. The bits do not depend on how many there
/// are.
class ComputePool {
 public:
  /// Makes the engines; throws what that throws. clock: what FrameTimes::style_begin_s is told by.
  ComputePool(const WorkerSetup& setup, tensor::Device device, int num_threads,
              const EngineFactory& make_engine, Stopwatch clock = {});
  ~ComputePool();
  ComputePool(const ComputePool&) = delete;
  ComputePool& operator=(const ComputePool&) = delete;

  void push(WorkItem item) {
    item.ready_at = std::chrono::steady_clock::now();
    todo_.push(std::move(item));
  }
  /// A finished frame, in any order; never waits.
  std::optional<WorkItem> try_pop() { return done_.try_pop(); }
  /// Waits until a frame is finished or the time is over.
  void wait_for(std::chrono::microseconds limit) { done_.wait_for(limit); }
  /// trial_frame_bits() of the engine here. Waits for it; empty where the engine takes planes as they are or
  /// computes on a GPU.
  [[nodiscard]] std::string trial_bits() const { return trial_bits_.get(); }
  [[nodiscard]] int num_threads() const { return static_cast<int>(threads_.size()); }

 private:
  template <typename Styler>
  void compute(Styler& style);

  Stopwatch clock_;
  std::vector<std::unique_ptr<models::StyleEngine>> engines_;
  // Credits bound what waits in either.
  BlockingQueue<WorkItem> todo_{std::numeric_limits<std::size_t>::max()};
  BlockingQueue<WorkItem> done_{std::numeric_limits<std::size_t>::max()};
  std::promise<std::string> trial_;
  std::shared_future<std::string> trial_bits_{trial_.get_future()};
  std::vector<std::thread> threads_;
};

}  // namespace atelier::pipeline
