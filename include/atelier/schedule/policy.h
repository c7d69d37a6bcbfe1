#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "atelier/schedule/chunk_scheduler.h"

// The fixed sizes that bound memory and keep everybody busy. A job and its prediction use the same.
namespace atelier::schedule {

/// Chunks that a worker may hold that sends its frames back: one to style while the next one arrives.
inline constexpr int credits_per_worker = 2;

/// Chunks that a process encodes at the same time.
inline int num_encoders(int num_cores) {
  return std::clamp(num_cores / 2, 1, 8);
}

/// Chunks that a worker decodes at the same time, each with one thread.
inline int num_decoders(int num_cores) {
  return std::clamp(num_cores / 4, 1, 8);
}

/// Chunks that a worker may hold that decodes them itself: one more than are being decoded.
inline int credits_with_decoders(int num_decoders) {
  return std::max(credits_per_worker, num_decoders + 1);
}

/// Chunks that a worker may hold that encodes them itself: one more than are being encoded.
inline int credits_with_encoders(int num_encoders) {
  return std::max(credits_per_worker, num_encoders + 1);
}

/// The window: 8 chunks; 4 a worker, or 16 where workers encode, if that is more (what waits is encoded
/// then).
inline SchedulerConfig scheduler_config(bool encode_at_workers, int num_workers) {
  constexpr std::int64_t min_window_chunks = 8;
  const std::int64_t chunks_per_worker = encode_at_workers ? 16 : 2 * credits_per_worker;
  return {.window_chunks = std::max(min_window_chunks, chunks_per_worker * num_workers)};
}

inline constexpr std::int64_t max_decoded_ahead_frames = 16;

/// Frames that wait decoded at the root: at most 128 MiB and 16, at least 2.
inline std::size_t decode_capacity_frames(std::size_t frame_bytes) {
  constexpr std::size_t max_bytes = std::size_t{128} << 20;
  return std::clamp<std::size_t>(max_bytes / frame_bytes, 2, max_decoded_ahead_frames);
}

/// While so much is on its way from the root, nothing more is sent: two frames a worker, at least 8 MiB.
/// That much comes back at once when the workers are faster than the encoders; a send ends as soon as it is
/// received.
inline std::size_t sending_limit_bytes(std::size_t frame_bytes, int num_workers) {
  return std::max(std::size_t{8} << 20, 2 * static_cast<std::size_t>(num_workers) * frame_bytes);
}

/// While more frames than these wait for the root's encoders, no new ones are sent.
inline std::int64_t max_waiting_frames(int num_encoders, std::int64_t chunk_frames) {
  return (num_encoders - 1) * chunk_frames + max_decoded_ahead_frames;
}

}  // namespace atelier::schedule
