#include "storing.h"

#include <utility>

#include "atelier/base/log.h"
#include "job.h"
#include "job_fingerprint.h"

namespace atelier::pipeline {

Storing::Storing(const Job& job, RecordBuilder& record, const StoringConfig& config)
    : record_(record), processors_(config.processors) {
  auto muxer = std::make_unique<media::Muxer>(muxer_config(job));
  open_checkpoints(job, config);
  for (const std::string& finding : checkpoints_->findings()) {
    log::info(finding);
    record_.event(0, "resume", finding);
  }
  for (const auto& [index, found] : checkpoints_->finished()) kept_[index] = {found.chunk, found.input_hash};
  mux_.emplace(std::move(muxer), checkpoints_->segments());
}

void Storing::open_checkpoints(const Job& job, const StoringConfig& config) {
  try {
    checkpoints_.emplace(CheckpointsConfig{.run = &job.config,
                                           .start_id = job.start_id,
                                           .launcher = config.launcher,
                                           .fingerprint = job_fingerprint(job),
                                           .processor = config.processors(),
                                           .num_frames = job.input().num_frames,
                                           .give_up_waiting = config.give_up_waiting,
                                           .before_writing = config.before_writing});
  } catch (const JobError&) {
    // Another start that finishes meanwhile removes the work directory under our feet.
    check_output_is_free(job.config);
    throw;
  }
}

const io::FoundSegment* Storing::found(std::int64_t chunk_index) const {
  const auto it = checkpoints_->finished().find(chunk_index);
  return it == checkpoints_->finished().end() ? nullptr : &it->second;
}

void Storing::keep(EncodedChunk encoded, std::uint64_t input_hash, std::vector<std::byte> reader_state) {
  io::StoredSegment stored{.fingerprint = checkpoints_->fingerprint().hash(),
                           .input_hash = input_hash,
                           .segment = std::move(encoded.segment),
                           .frames = {},
                           .reader_state = std::move(reader_state),
                           .processor = processors_()};
  stored.frames = record_.stored_frames(stored.segment.chunk_index);
  kept_[stored.segment.chunk_index] = {stored.chunk(), input_hash};
  ++num_storing_;
  mux_->add(std::move(stored));
}

bool Storing::use_found(std::int64_t chunk_index) {
  if (!used_.insert(chunk_index).second) return false;
  mux_->add_stored(chunk_index);
  return true;
}

std::optional<Chunk> Storing::try_pop_stored() {
  const std::optional<Chunk> stored = mux_->try_pop_stored();
  if (!stored) return std::nullopt;
  --num_storing_;
  checkpoints_->chunk_stored(stored->num_frames());
  return stored;
}

bool Storing::drain_restored() {
  bool any = false;
  while (const std::optional<MuxStage::Restored> restored = mux_->try_pop_restored()) {
    any = true;
    record_.chunk_restored(restored->chunk, restored->encoded_bytes, restored->frames);
  }
  return any;
}

}  // namespace atelier::pipeline
