#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "atelier/io/segment_store.h"
#include "atelier/media/muxer.h"
#include "atelier/pipeline/blocking_queue.h"
#include "atelier/schedule/reorder_buffer.h"

namespace atelier::pipeline {

/// Stores segments as they come, and muxes them in the order of their chunks, in a thread of its own.
class MuxStage {
 public:
  MuxStage(std::unique_ptr<media::Muxer> muxer, io::SegmentStore& store);
  /// Without finish(): nothing stays under the output's name.
  ~MuxStage();
  MuxStage(const MuxStage&) = delete;
  MuxStage& operator=(const MuxStage&) = delete;

  /// A new one, in any order. Never waits.
  void add(io::StoredSegment segment) {
    const std::int64_t index = segment.segment.chunk_index;
    segments_.push({index, std::make_unique<io::StoredSegment>(std::move(segment))});
  }
  /// A chunk that the store has already. Never waits.
  void add_stored(std::int64_t chunk_index) { segments_.push({chunk_index, nullptr}); }
  /// A new chunk that is in the store now.
  std::optional<Chunk> try_pop_stored() { return stored_.try_pop(); }

  /// What the record wants to know of a chunk that was in the store already.
  struct Restored {
    Chunk chunk;
    std::int64_t encoded_bytes = 0;
    std::vector<io::StoredFrame> frames;
  };
  std::optional<Restored> try_pop_restored() { return restored_.try_pop(); }

  /// Throws what storing or muxing threw, if it did.
  void check();
  /// All segments have come: the thread writes the rest of the file, and renames it.
  void finish();
  /// Whether that is done. Throws what storing or muxing threw.
  [[nodiscard]] bool finished();
  /// Once finished.
  [[nodiscard]] std::vector<std::string> warnings() const { return muxer_->warnings(); }

 private:
  struct Item {
    std::int64_t chunk_index = 0;
    std::unique_ptr<io::StoredSegment> made;  // null: the store has it already
  };
  void work();
  Segment take(Item item);

  std::unique_ptr<media::Muxer> muxer_;
  io::SegmentStore& store_;
  BlockingQueue<Item> segments_;
  BlockingQueue<Chunk> stored_;
  BlockingQueue<Restored> restored_;
  std::atomic<bool> finishing_ = false;
  std::atomic<bool> finished_ = false;
  std::mutex mutex_;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace atelier::pipeline
