#pragma once

#include <cstdint>

#include "atelier/io/record.h"

namespace atelier::planning {

/// A job on num_workers workers, two a machine, with times of everything: each worker styles chunks of 10
/// frames one after another, 0.1 s a frame, then its frames are encoded where encode_at says. The root
/// decodes all frames by the first second.
inline io::JobRecord planned_record(std::int64_t num_frames, int num_workers,
                                    bool encode_at_workers = false) {
  constexpr std::int64_t chunk_frames = 10;
  io::JobRecord record;
  record.job = {{"outcome", "done"},
                {"input.path", "/videos/in.mkv"},
                {"input.time_base", "1/1000"},
                {"setting.output", "out.mkv"},
                {"setting.engine", "adaptive"},
                {"encode_at", encode_at_workers ? "workers" : "root"},
                {"program_version", "0.1.0"}};
  record.startup_s = 1;
  record.ranks.push_back({.rank = 0, .role = "root", .host = "m0", .device = ""});
  for (int rank = 1; rank <= num_workers; ++rank) {
    record.ranks.push_back({.rank = rank,
                            .role = "worker",
                            .host = "m" + std::to_string((rank - 1) / 2),
                            .device = "CPU",
                            .num_threads = 1,
                            .start_s = 0.5,
                            .num_encoders = encode_at_workers ? 1 : 0});
  }
  record.ranks[0].num_encoders = encode_at_workers ? 0 : 1;
  std::vector<double> free_s(static_cast<std::size_t>(num_workers) + 1, 1);
  for (std::int64_t first = 0; first < num_frames; first += chunk_frames) {
    io::ChunkRow chunk;
    chunk.chunk_index = first / chunk_frames;
    chunk.first_frame = first;
    chunk.end_frame = std::min(num_frames, first + chunk_frames);
    chunk.rank = 1 + static_cast<int>(chunk.chunk_index % num_workers);
    chunk.encode_rank = encode_at_workers ? chunk.rank : 0;
    chunk.encoded_bytes = 1000;
    double& now_s = free_s[static_cast<std::size_t>(chunk.rank)];
    chunk.dealt_s = now_s;
    for (std::int64_t i = first; i < chunk.end_frame; ++i) {
      io::FrameRow frame{.frame_index = i, .pts_ticks = 40 * i, .rank = chunk.rank};
      frame.chunk_index = static_cast<std::int32_t>(chunk.chunk_index);
      frame.decode_s = 0.001F;
      frame.convert_s = 0.02F;
      frame.style_s = 0.08F;
      frame.encode_s = 0.01F;
      frame.decoded_s = 0.9;
      frame.sent_s = now_s - 0.05;
      frame.received_s = now_s - 0.04;
      frame.style_begin_s = now_s;
      now_s += 0.1;
      frame.done_s = now_s + 0.001;
      frame.encode_begin_s = frame.done_s;
      record.frames.push_back(frame);
    }
    chunk.styled_s = now_s + 0.001;
    chunk.flush_begin_s = chunk.styled_s + 0.01;
    chunk.encode_end_s = chunk.flush_begin_s + 0.02;
    chunk.encoded_s = chunk.encode_end_s + 0.001;
    record.chunks.push_back(chunk);
    record.wall_s = std::max(record.wall_s, chunk.encoded_s + 0.1);
  }
  for (io::RankRow& row : record.ranks) row.end_s = record.wall_s;
  return record;
}

}  // namespace atelier::planning
