#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "atelier/pipeline/run_config.h"
#include "atelier/transport/communicator.h"

namespace atelier::pipeline {

struct StageBenchmarkConfig {
  RunConfig run;  ///< input, style, engine, codec … as of `atelier run`; output is ignored
  int num_frames = 48;
  int num_warm_ups = 1;
  int num_repeats = 5;
};

/// One stage, measured num_repeats times over all frames.
struct StageResult {
  std::string stage;
  std::vector<double> frames_per_s;  ///< of each repeat
  int num_threads = 1;
  double bytes_per_frame = 0;  ///< that the stage moves; 0: not counted
  std::string limit;           ///< what the stage is held against; empty: nothing
  double limit_frames_per_s = 0;
  [[nodiscard]] double median_frames_per_s() const;
};

/// Measures each stage of a job alone, then the whole job, on this machine: decode, planes to tensor, engine,
/// tensor to planes, encode, loopback transfer, and with a communicator MPI transfer to rank 1 and back.
/// The whole job's limit is its slowest stage. Other ranks call run_stage_benchmark_worker meanwhile.
std::vector<StageResult> benchmark_stages(const StageBenchmarkConfig& config,
                                          transport::Communicator* communicator);
void run_stage_benchmark_worker(transport::Communicator& communicator);

/// CSV with a header line; units stand in the names of the columns.
void write_csv(std::ostream& out, const std::vector<StageResult>& results, const StageBenchmarkConfig& config,
               int num_ranks);

}  // namespace atelier::pipeline
