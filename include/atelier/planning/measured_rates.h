#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "atelier/io/record.h"
#include "atelier/planning/layout.h"
#include "atelier/planning/simulation.h"

namespace atelier::planning {

/// A record and how to call it in messages.
struct NamedRecord {
  std::string name;
  io::JobRecord record;
};

/// What one measured job was, to hold a prediction against.
struct MeasuredJob {
  std::string name;
  Layout layout;  ///< the most workers on a machine; a job of one rank counts as 1x1
  bool encode_at_workers = false;
  bool decode_at_workers = false;
  std::int64_t num_frames = 0;  ///< styled
  std::int64_t chunk_frames = 1;
  double wall_s = 0;
  bool whole = true;  ///< it was done, and nothing was taken over from an earlier start
};

/// Seconds that grow with something: base_s, and each_s for each of it.
struct Line {
  double base_s = 0;
  double each_s = 0;
  [[nodiscard]] double at(double count) const { return base_s + each_s * count; }
};

/// The stages of a kind of job, as one or more records of it tell. Seconds of one frame, means over all
/// records' frames, unless said otherwise.
struct MeasuredRates {
  std::string engine;
  int width_px = 0;
  int height_px = 0;
  std::size_t frame_bytes = 1;

  double decode_s = 0;          ///< in one decoding thread, at the root or a worker
  double message_s = 0;         ///< root's main thread, a frame once
  double style_s = 0;           ///< in one lane of a worker: a thread on the CPU, the whole GPU
  double encode_s = 0;          ///< in one encoder
  double chunk_overhead_s = 0;  ///< of a chunk, above its frames' share: a new encoder
  Line startup;                 ///< of a job, until the first chunk is dealt; by number of workers
  double worker_late_s = 0;     ///< of a worker, after the job's start-up
  Line finish;                  ///< of a job, after the last chunk is encoded; by number of frames

  bool gpu = false;   ///< workers have a processor each; else they share the cores of their machine
  int num_cores = 1;  ///< of a machine
  std::vector<MeasuredJob> jobs;
  std::vector<std::string> notes;  ///< sentences on what was left out or assumed
};

/// What the root's main thread copies in a second where records do not tell more: within one machine, once.
inline constexpr double default_message_bytes_per_s = 4e9;

/// Throws UsageError: no record, no styled frame with times, records of different engines, sizes or codecs.
MeasuredRates measure_rates(const std::vector<NamedRecord>& records);

struct ModelRequest {
  Layout layout;
  std::int64_t num_frames = 0;
  std::int64_t chunk_frames = 1;
  bool encode_at_workers = false;
  bool decode_at_workers = false;
  double network_bytes_per_s = 0;  ///< between machines, each way; 0: no limit
};

/// The job that the rates make on a layout. Workers of a CPU machine divide its cores as in a real job.
JobModel job_model(const MeasuredRates& rates, const ModelRequest& request);

}  // namespace atelier::planning
