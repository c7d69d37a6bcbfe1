#include "encode_stage.h"

#include <algorithm>
#include <utility>

#include "atelier/base/memory.h"
#include "atelier/base/stopwatch.h"

namespace atelier::pipeline {

EncodeStage::EncodeStage(const media::EncoderConfig& config, int num_threads, Stopwatch clock)
    : config_(config), clock_(clock) {
  for (int i = 0; i < num_threads; ++i) threads_.emplace_back([this] { work_until_stopped(); });
}

EncodeStage::~EncodeStage() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

EncodeStage::Work& EncodeStage::work_of(std::int64_t chunk_index, std::int64_t first_frame) {
  std::shared_ptr<Work>& work = works_[chunk_index];
  if (!work) work = std::make_shared<Work>(first_frame);
  return *work;
}

void EncodeStage::add(std::int64_t chunk_index, std::int64_t first_frame, FramePlanes frame) {
  const std::lock_guard lock(mutex_);
  const std::int64_t index = frame.info.frame_index;
  work_of(chunk_index, first_frame).frames.push(index, std::move(frame));
  changed_.notify_one();
}

void EncodeStage::set_end(const Chunk& chunk) {
  const std::lock_guard lock(mutex_);
  work_of(chunk.index, chunk.first_frame).end_frame = chunk.end_frame;
  changed_.notify_one();
}

void EncodeStage::drop(std::int64_t chunk_index) {
  const std::lock_guard lock(mutex_);
  works_.erase(chunk_index);
}

std::optional<EncodedChunk> EncodeStage::try_pop() {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  if (done_.empty()) return std::nullopt;
  std::optional<EncodedChunk> chunk(std::move(done_.front()));
  done_.pop_front();
  return chunk;
}

std::int64_t EncodeStage::num_waiting() {
  const std::lock_guard lock(mutex_);
  std::int64_t count = num_in_hand_;
  for (const auto& [index, work] : works_)
    if (work->frames.ready()) count += static_cast<std::int64_t>(work->frames.size());
  return count;
}

// Called without the lock; work.busy keeps other threads away from it.
std::optional<EncodedChunk> EncodeStage::advance(std::int64_t chunk_index, Work& work,
                                                 std::vector<FramePlanes> frames, bool last) {
  for (FramePlanes& frame : frames) {
    const Stopwatch watch;
    work.begin_s.push_back(clock_.seconds_s());
    if (!work.encoder) work.encoder.emplace(config_, chunk_index, frame.info.frame_index);
    work.encoder->write(frame);
    work.encode_s.push_back(static_cast<float>(watch.seconds_s()));
    frame.planes = {};
    --num_in_hand_;
  }
  if (!last) return std::nullopt;
  const Stopwatch watch;
  const double flush_begin_s = clock_.seconds_s();
  EncodedChunk chunk{work.encoder->finish(), std::move(work.encode_s), std::move(work.begin_s)};
  work.encoder.reset();
  chunk.flush_begin_s = flush_begin_s;
  chunk.end_s = clock_.seconds_s();
  release_free_memory();
  const auto share = static_cast<float>(watch.seconds_s() / static_cast<double>(chunk.encode_s.size()));
  for (float& seconds : chunk.encode_s) seconds += share;
  return chunk;
}

void EncodeStage::work_until_stopped() {
  std::unique_lock lock(mutex_);
  while (true) {
    auto it = works_.end();
    changed_.wait(lock, [&] {
      if (stopped_) return true;
      it = std::find_if(works_.begin(), works_.end(), [](const auto& w) { return w.second->runnable(); });
      return it != works_.end();
    });
    if (stopped_) return;
    const auto [chunk_index, work] = *it;
    std::vector<FramePlanes> frames;
    while (std::optional<FramePlanes> frame = work->frames.pop()) frames.push_back(std::move(*frame));
    num_in_hand_ += static_cast<std::int64_t>(frames.size());
    const bool last = work->complete();
    work->busy = true;
    lock.unlock();
    std::optional<EncodedChunk> encoded;
    try {
      encoded = advance(chunk_index, *work, std::move(frames), last);
      lock.lock();
    } catch (...) {
      lock.lock();
      error_ = std::current_exception();
      stopped_ = true;
      changed_.notify_all();
      return;
    }
    work->busy = false;
    const auto mine = works_.find(chunk_index);
    const bool wanted = mine != works_.end() && mine->second == work;
    if (encoded && wanted) {
      done_.push_back(std::move(*encoded));
      works_.erase(mine);
    }
    changed_.notify_one();
  }
}

}  // namespace atelier::pipeline
