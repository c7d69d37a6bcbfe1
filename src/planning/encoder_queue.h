#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "atelier/schedule/reorder_buffer.h"

namespace atelier::planning {

/// Chunks that are encoded side by side, a thread each, frames in order, the lowest chunk first: what
/// pipeline's EncodeStage does, without frames and threads.
class EncoderQueue {
 public:
  explicit EncoderQueue(int num_threads = 1) : num_idle_(num_threads) {}

  void add_frame(std::int64_t chunk, std::int64_t first_frame, std::int64_t frame) {
    Work& work = work_of(chunk, first_frame);
    count(work, [&] { work.frames.push(frame, true); });
    update(chunk, work);
  }

  void set_end(std::int64_t chunk, std::int64_t first_frame, std::int64_t end_frame) {
    Work& work = work_of(chunk, first_frame);
    work.end_frame = end_frame;
    update(chunk, work);
  }

  /// What a thread takes: the frames of a chunk that are in order; first and last of the chunk or not.
  struct Batch {
    std::int64_t chunk = 0;
    std::int64_t num_frames = 0;
    bool first = false;
    bool last = false;
  };
  std::optional<Batch> take() {
    if (num_idle_ == 0 || runnable_.empty()) return std::nullopt;
    const std::int64_t chunk = *runnable_.begin();
    Work& work = works_.at(chunk);
    Batch batch{.chunk = chunk, .first = work.frames.next() == work.first_frame};
    count(work, [&] {
      while (work.frames.pop()) ++batch.num_frames;
    });
    num_waiting_ += batch.num_frames;  // in hand
    batch.last = work.complete();
    work.busy = true;
    runnable_.erase(chunk);
    --num_idle_;
    return batch;
  }

  void frame_encoded() { --num_waiting_; }

  void batch_encoded(const Batch& batch) {
    ++num_idle_;
    if (batch.last) {
      works_.erase(batch.chunk);
      return;
    }
    Work& work = works_.at(batch.chunk);
    work.busy = false;
    update(batch.chunk, work);
  }

  /// Frames that could be encoded and are not yet.
  [[nodiscard]] std::int64_t num_waiting() const { return num_waiting_; }

 private:
  struct Work {
    explicit Work(std::int64_t first) : first_frame(first), frames(first) {}
    std::int64_t first_frame;
    schedule::ReorderBuffer<bool> frames;
    std::optional<std::int64_t> end_frame;
    bool busy = false;

    [[nodiscard]] bool complete() const { return end_frame && frames.next() == *end_frame; }
    [[nodiscard]] std::int64_t num_waiting() const {
      return frames.ready() ? static_cast<std::int64_t>(frames.size()) : 0;
    }
  };

  Work& work_of(std::int64_t chunk, std::int64_t first_frame) {
    return works_.try_emplace(chunk, first_frame).first->second;
  }
  template <typename Change>
  void count(Work& work, const Change& change) {
    num_waiting_ -= work.num_waiting();
    change();
    num_waiting_ += work.num_waiting();
  }
  void update(std::int64_t chunk, const Work& work) {
    if (!work.busy && (work.frames.ready() || work.complete())) runnable_.insert(chunk);
  }

  int num_idle_;
  std::int64_t num_waiting_ = 0;
  std::map<std::int64_t, Work> works_;
  std::set<std::int64_t> runnable_;
};

}  // namespace atelier::planning
