#include "worker_encoders.h"

#include <utility>

namespace atelier::pipeline {

void WorkerEncoders::begin(std::int64_t chunk_index, std::int64_t first_frame) {
  Incoming& incoming = incoming_[chunk_index];
  incoming.first_frame = first_frame;
  pass_on(chunk_index, incoming);
}

void WorkerEncoders::add_info(std::int64_t chunk_index, FrameInfo info) {
  Incoming& incoming = incoming_[chunk_index];
  const std::int64_t frame_index = info.frame_index;
  incoming.infos.insert_or_assign(frame_index, std::move(info));
  pass_on(chunk_index, incoming);
}

void WorkerEncoders::add_planes(std::int64_t chunk_index, std::int64_t frame_index, Buffer planes) {
  Incoming& incoming = incoming_[chunk_index];
  incoming.planes.insert_or_assign(frame_index, std::move(planes));
  pass_on(chunk_index, incoming);
}

void WorkerEncoders::pass_on(std::int64_t chunk_index, Incoming& incoming) {
  if (!incoming.first_frame) return;
  for (auto it = incoming.planes.begin(); it != incoming.planes.end();) {
    auto info = incoming.infos.extract(it->first);
    if (info.empty()) {
      ++it;
      continue;
    }
    stage_.add(chunk_index, *incoming.first_frame, {std::move(info.mapped()), std::move(it->second)});
    it = incoming.planes.erase(it);
  }
}

void WorkerEncoders::drop(std::int64_t chunk_index) {
  incoming_.erase(chunk_index);
  stage_.drop(chunk_index);
}

std::optional<EncodedChunk> WorkerEncoders::try_pop() {
  std::optional<EncodedChunk> encoded = stage_.try_pop();
  if (encoded) incoming_.erase(encoded->segment.chunk_index);
  return encoded;
}

}  // namespace atelier::pipeline
