#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "atelier/base/stopwatch.h"
#include "atelier/io/record.h"
#include "atelier/pipeline/protocol.h"

namespace atelier::pipeline {

struct Job;

/// Gathers what a job does, for its record. The root's main thread uses it.
class RecordBuilder {
 public:
  RecordBuilder();

  /// Seconds after the job's start.
  [[nodiscard]] double now_s() const { return watch_.seconds_s(); }

  void set(const std::string& name, const std::string& value) { record_.job.emplace_back(name, value); }
  /// Input, encoder, versions.
  void describe(const Job& job);
  void event(int rank, const std::string& kind, const std::string& text);

  void rank_ready(int rank, const std::string& role, const WorkerHello& hello, const WorkerReady& ready);
  void rank_left(int rank, const WorkerGoodbye& goodbye);
  void first_deal() {
    if (record_.startup_s == 0) record_.startup_s = now_s();
  }

  io::ChunkRow& chunk(std::int64_t chunk_index);
  io::FrameRow& frame(std::int64_t frame_index);
  void frame_times(const FrameTimes& times);

  /// The whole record, as of now. Once: nothing may be added afterwards.
  const io::JobRecord& finish(const std::string& outcome, const std::string& error);
  [[nodiscard]] std::int64_t num_frames() const { return static_cast<std::int64_t>(record_.frames.size()); }

 private:
  Stopwatch watch_;
  io::JobRecord record_;
  std::map<int, io::RankRow> ranks_;
};

}  // namespace atelier::pipeline
