#include "mux_stage.h"

#include <limits>
#include <utility>

namespace atelier::pipeline {

// The scheduler's window bounds how many segments wait here.
MuxStage::MuxStage(const media::MuxerConfig& config)
    : muxer_(std::make_unique<media::Muxer>(config)),
      segments_(std::numeric_limits<std::size_t>::max()),
      thread_([this] { mux(); }) {}

MuxStage::~MuxStage() {
  segments_.close();
  if (thread_.joinable()) thread_.join();
}

void MuxStage::mux() {
  try {
    ReorderBuffer<Segment> waiting;
    while (std::optional<Segment> segment = segments_.pop()) {
      const std::int64_t index = segment->chunk_index;
      waiting.push(index, std::move(*segment));
      while (std::optional<Segment> next = waiting.pop()) muxer_->write(*next);
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    error_ = std::current_exception();
  }
}

void MuxStage::check() {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void MuxStage::finish() {
  segments_.close();
  thread_.join();
  check();
  muxer_->close();
}

}  // namespace atelier::pipeline
