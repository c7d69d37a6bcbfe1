#include "decode_stage.h"

#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/frame/frame_hash.h"

namespace atelier::pipeline {

void throw_changed(const std::filesystem::path& input, const Chunk& chunk) {
  throw JobError(
      concat("'", input.string(), "' is not what it was when chunk ", chunk.index, " was finished"),
      concat("frames ", chunk.first_frame, " to ", chunk.end_frame - 1, " differ"),
      "Give --no-resume to begin anew");
}

DecodeStage::DecodeStage(media::VideoReader& reader, DecodeStageConfig config)
    : reader_(reader),
      config_(std::move(config)),
      frames_(config_.capacity_frames),
      thread_([this] { decode(); }) {}

DecodeStage::~DecodeStage() {
  frames_.close();
  thread_.join();
}

void DecodeStage::decode() {
  try {
    while (std::optional<FramePlanes> frame = reader_.read()) {
      frame->info.decoded_s = config_.clock.seconds_s();
      if (!handle(std::move(*frame))) return;
    }
    if (chunk_.num_frames() > 0) end_chunk();
    if (!config_.finished.empty()) throw_changed(reader_.info().path, config_.finished.begin()->second.chunk);
    const std::lock_guard lock(mutex_);
    damage_ = reader_.damage();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    error_ = std::current_exception();
  }
  frames_.close();
}

// False: nobody wants more frames.
bool DecodeStage::handle(FramePlanes frame) {
  add_to_hash(hasher_, frame);
  ++chunk_.end_frame;
  const bool is_finished = config_.finished.contains(chunk_.index);
  const bool is_last = chunk_.num_frames() == config_.chunk_frames;
  // The hash is there before the chunk's last frame is.
  if (is_last) end_chunk();
  return is_finished ? !frames_.closed() : frames_.push(std::move(frame));
}

void DecodeStage::end_chunk() {
  const std::uint64_t hash = std::exchange(hasher_, Hasher()).digest();
  if (const auto finished = config_.finished.extract(chunk_.index); !finished.empty()) {
    const FinishedChunk& before = finished.mapped();
    if (before.chunk.end_frame != chunk_.end_frame || before.input_hash != hash)
      throw_changed(reader_.info().path, before.chunk);
  } else {
    const std::lock_guard lock(mutex_);
    hashes_[chunk_.index] = hash;
  }
  chunk_ = {chunk_.index + 1, chunk_.end_frame, chunk_.end_frame};
}

std::optional<FramePlanes> DecodeStage::try_pop() {
  return frames_.try_pop();
}

bool DecodeStage::exhausted() {
  if (!frames_.exhausted()) return false;
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return true;
}

std::uint64_t DecodeStage::take_hash(std::int64_t chunk_index) {
  const std::lock_guard lock(mutex_);
  const auto hash = hashes_.extract(chunk_index);
  if (hash.empty()) throw JobError(concat("no hash of chunk ", chunk_index), "internal error");
  return hash.mapped();
}

media::Damage DecodeStage::damage() const {
  const std::lock_guard lock(mutex_);
  return damage_;
}

}  // namespace atelier::pipeline
