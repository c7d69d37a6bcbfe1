#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "atelier/base/text.h"
#include "atelier/planning/measured_rates.h"

namespace atelier::planning {

/// A job of which every time is known: what an ideal machine would have recorded.
struct IdealJob {
  Layout layout{1, 2};
  std::int64_t num_frames = 480;
  std::int64_t chunk_frames = 48;
  bool gpu = true;
  bool encode_at_workers = true;
  int num_cores = 4;
  double startup_s = 2;
  double finish_s = 0.5;
  float decode_s = 0.001F;
  float convert_s = 0.004F;
  float style_s = 0.04F;
  float encode_s = 0.008F;
  float first_encode_s = 0.028F;  // of a chunk
};

/// Chunks go round the workers. wall_s is what the simulation says of such a job.
inline NamedRecord ideal_record(const IdealJob& job, const std::string& name = "job.h5") {
  io::JobRecord record;
  record.job = {{"outcome", "done"},
                {"setting.engine", "adaptive"},
                {"input.width_px", "640"},
                {"input.height_px", "360"},
                {"input.frame_bytes", "345600"},
                {"encode_at", job.encode_at_workers ? "workers" : "root"},
                {"decode_threads", std::to_string(job.num_cores)},
                {"worker_kind", job.gpu ? "gpu" : "cpu"},
                {"chunk_frames", std::to_string(job.chunk_frames)}};
  record.startup_s = job.startup_s;
  record.ranks.push_back(
      {.rank = 0, .role = "root", .host = "host-0", .device = "", .num_threads = 0, .start_s = 0.1});
  for (int machine = 0; machine < job.layout.num_machines; ++machine) {
    for (int gpu = 0; gpu < job.layout.gpus_per_machine; ++gpu) {
      io::RankRow row;
      row.rank = static_cast<int>(record.ranks.size());
      row.role = "worker";
      row.host = concat("host-", machine);
      row.start_s = 1;
      record.ranks.push_back(row);
    }
  }
  double last_s = 0;
  for (std::int64_t first = 0; first < job.num_frames; first += job.chunk_frames) {
    io::ChunkRow chunk;
    chunk.chunk_index = first / job.chunk_frames;
    chunk.first_frame = first;
    chunk.end_frame = std::min(first + job.chunk_frames, job.num_frames);
    chunk.rank = 1 + static_cast<int>(chunk.chunk_index) % job.layout.num_workers();
    chunk.dealt_s = job.startup_s;
    for (std::int64_t frame = first; frame < chunk.end_frame; ++frame) {
      io::FrameRow row;
      row.frame_index = frame;
      row.chunk_index = static_cast<std::int32_t>(chunk.chunk_index);
      row.rank = chunk.rank;
      row.decode_s = job.decode_s;
      row.convert_s = job.convert_s;
      row.style_s = job.style_s;
      row.encode_s = frame == first ? job.first_encode_s : job.encode_s;
      row.done_s = 100 + static_cast<double>(frame);
      record.frames.push_back(row);
    }
    chunk.styled_s = chunk.encoded_s = last_s = 200 + static_cast<double>(first);
    record.chunks.push_back(chunk);
  }
  record.wall_s = last_s + job.finish_s;
  return {name, record};
}

}  // namespace atelier::planning
