#include "decode_stage.h"

#include <utility>

namespace atelier::pipeline {

DecodeStage::DecodeStage(media::VideoReader& reader, std::size_t capacity_frames)
    : reader_(reader), frames_(capacity_frames), thread_([this] { decode(); }) {}

DecodeStage::~DecodeStage() {
  frames_.close();
  thread_.join();
}

void DecodeStage::decode() {
  try {
    while (std::optional<FramePlanes> frame = reader_.read()) {
      if (!frames_.push(std::move(*frame))) return;
    }
    const std::lock_guard lock(mutex_);
    damage_ = reader_.damage();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    error_ = std::current_exception();
  }
  frames_.close();
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

media::Damage DecodeStage::damage() const {
  const std::lock_guard lock(mutex_);
  return damage_;
}

}  // namespace atelier::pipeline
