#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "atelier/base/stopwatch.h"
#include "atelier/frame/chunk.h"
#include "atelier/frame/frame.h"
#include "atelier/io/record.h"
#include "atelier/io/segment_file.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/pipeline/protocol.h"
#include "atelier/pipeline/worker_clock.h"
#include "counting_communicator.h"

namespace atelier::pipeline {

struct Job;

/// Gathers what a job does, for its record. The root's main thread uses it.
class RecordBuilder {
 public:
  RecordBuilder();

  /// Seconds after the job's start.
  [[nodiscard]] double now_s() const { return watch_.seconds_s(); }

  /// What now_s() reads.
  [[nodiscard]] Stopwatch clock() const { return watch_; }

  void set(const std::string& name, const std::string& value) { record_.job.emplace_back(name, value); }
  /// Input, encoder, versions.
  void describe(const Job& job);
  void event(int rank, const std::string& kind, const std::string& text);

  /// The newest events, the oldest first; longer texts are cut.
  [[nodiscard]] std::vector<io::EventRow> last_events(std::size_t count, std::size_t max_text) const;

  void rank_ready(int rank, const std::string& role, const WorkerHello& hello, const WorkerReady& ready);
  void rank_left(int rank, const WorkerGoodbye& goodbye);
  void root_worked(const Traffic& traffic, std::int64_t between_machines_bytes, double message_cpu_s);
  void first_deal() {
    if (record_.startup_s == 0) record_.startup_s = now_s();
  }

  /// In the order of a chunk's life; ranks as people know them.
  void chunk_dealt(std::int64_t chunk_index, std::int64_t first_frame, int rank);
  void frame_sent(const FrameInfo& info, std::int64_t chunk_index);
  void chunk_ended(const Chunk& chunk);
  void chunk_dealt_again(std::int64_t chunk_index, int rank, int num_tries);
  const io::FrameRow& frame_back(std::int64_t frame_index, int rank);
  /// rank: whose clock told the times.
  void chunk_times(int rank, const ChunkTimes& times);
  void chunk_styled(std::int64_t chunk_index);
  /// rank: that encoded it.
  const io::ChunkRow& chunk_encoded(const EncodedChunk& encoded, int rank);
  /// Chunks and frames from here on are done again.
  void forget_from(std::int64_t chunk_index, std::int64_t frame_index);
  /// Workers decode, for now.
  void set_decoded_at_root(bool at_root) { decoded_at_root_ = at_root; }
  /// A chunk that an earlier start has made: its row has no tries and no times.
  void chunk_restored(const Chunk& chunk, std::int64_t encoded_bytes,
                      const std::vector<io::StoredFrame>& frames);

  [[nodiscard]] const io::ChunkRow& chunk(std::int64_t chunk_index) { return chunk_row(chunk_index); }
  /// What a later start may want to know of the frames of an encoded chunk.
  std::vector<io::StoredFrame> stored_frames(std::int64_t chunk_index);

  /// The whole record, as of now. Once: nothing may be added afterwards.
  const io::JobRecord& finish(const std::string& outcome, const std::string& error);
  [[nodiscard]] std::int64_t num_frames() const { return static_cast<std::int64_t>(record_.frames.size()); }
  [[nodiscard]] std::int64_t num_restored_frames() const { return num_restored_frames_; }

 private:
  io::ChunkRow& chunk_row(std::int64_t chunk_index);
  io::FrameRow& frame_row(std::int64_t frame_index);

  Stopwatch watch_;
  io::JobRecord record_;
  std::map<int, io::RankRow> ranks_;
  std::map<int, WorkerClock> clocks_;
  int num_root_encoders_ = 0;
  std::int64_t num_restored_frames_ = 0;
  bool decoded_at_root_ = true;
};

}  // namespace atelier::pipeline
