#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace atelier::planning {

/// A job, as far as its speed goes. Times are seconds of one frame unless said otherwise, and the same for
/// every frame.
struct JobModel {
  std::int64_t num_frames = 0;
  std::int64_t chunk_frames = 1;
  std::size_t frame_bytes = 1;

  double startup_s = 0;                ///< until the first chunk can be dealt, of the whole job
  std::vector<double> worker_ready_s;  ///< when each worker takes chunks, after the job's start

  bool decode_at_workers = false;
  double decode_s = 0;        ///< in the root's one decoding thread, or in one of a worker's num_decoders
  int num_decoders = 1;       ///< at each worker, a chunk each
  double message_s = 0;       ///< root's main thread for a frame that it sends or gets, once each
  double network_s = 0;       ///< on the root machine's network, each way
  int num_local_workers = 0;  ///< the first of the workers: on the root's machine, not over the network
  double style_s = 0;         ///< in one thread of a worker, with copying and conversion
  int threads_per_worker = 1;
  bool encode_at_workers = false;
  double encode_s = 0;          ///< in one of num_encoders threads, a chunk each
  int num_encoders = 1;         ///< at the root, or at each worker
  double chunk_overhead_s = 0;  ///< of a chunk, at its encoder
  double store_s = 0;           ///< of a chunk, storing and muxing
  double finish_s = 0;          ///< from the last chunk stored to the job's end, of the whole job
};

/// How long a stage worked. It could have worked num_lanes times as long as the job.
struct StageUse {
  std::string name;  ///< "decode", "messages", "network out", "network in", "style", "encode", "store"
  double busy_s = 0;
  int num_lanes = 1;
};

struct Simulation {
  double wall_s = 0;
  double last_stored_s = 0;
  std::vector<StageUse> stages;
  std::vector<double> chunk_stored_s;           ///< by chunk
  std::vector<std::int64_t> frames_per_worker;  ///< styled
  /// Frames styled and not yet stored, and half of each frame in work, mean over the time from start-up to
  /// the last chunk stored: what is lost when the job is killed then.
  double mean_unstored_frames = 0;
};

/// Runs the job's queues, frame by frame, with the ChunkScheduler and the sizes of buffers and windows that
/// run the job. Pure and deterministic. Throws JobError for a job without frames or workers.
Simulation simulate(const JobModel& model);

}  // namespace atelier::planning
