#include "mux_stage.h"

#include <limits>
#include <utility>

namespace atelier::pipeline {
namespace {

constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();

}  // namespace

// The scheduler's window bounds how many segments wait here.
MuxStage::MuxStage(std::unique_ptr<media::Muxer> muxer, io::SegmentStore& store)
    : muxer_(std::move(muxer)),
      store_(store),
      segments_(unbounded),
      stored_(unbounded),
      restored_(unbounded),
      thread_([this] { work(); }) {}

MuxStage::~MuxStage() {
  segments_.close();
  thread_.join();
}

void MuxStage::work() {
  try {
    schedule::ReorderBuffer<Item> waiting;
    while (std::optional<Item> item = segments_.pop()) {
      if (item->made) {
        store_.put(*item->made);
        stored_.push(item->made->chunk());
      }
      const std::int64_t index = item->chunk_index;
      waiting.push(index, std::move(*item));
      while (std::optional<Item> next = waiting.pop()) muxer_->write(take(std::move(*next)));
    }
    if (finishing_) muxer_->close();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    error_ = std::current_exception();
    return;
  }
  finished_ = true;
}

Segment MuxStage::take(Item item) {
  if (item.made) return std::move(item.made->segment);
  io::StoredSegment stored = store_.read(item.chunk_index);
  const Chunk chunk = stored.chunk();
  restored_.push({chunk, packet_bytes(stored.segment), std::move(stored.frames)});
  return std::move(stored.segment);
}

void MuxStage::check() {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void MuxStage::finish() {
  finishing_ = true;
  segments_.close();
}

bool MuxStage::finished() {
  check();
  return finished_;
}

}  // namespace atelier::pipeline
