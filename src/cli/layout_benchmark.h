#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "atelier/planning/layout_results.h"

namespace atelier::cli {

/// What `atelier bench layouts` is asked to do.
struct LayoutBenchmarkConfig {
  std::vector<planning::Layout> layouts;
  std::vector<planning::Scaling> scalings = {planning::Scaling::strong};
  std::vector<std::int64_t> chunk_frames;  ///< empty: the default of `atelier run`
  std::optional<double> duration_s;        ///< of the clip; with weak scaling of each GPU's share
  int num_repeats = 3;
  int num_warm_ups = 1;
  double timeout_s = 3600;  ///< of one job
  std::filesystem::path results = "bench-layouts";

  bool slurm = false;
  std::vector<std::string> hosts;  ///< for mpirun; empty: this machine for all
  std::vector<std::string> mpirun = {"mpirun"};
  std::vector<std::string> slurm_options;  ///< more words for sbatch
  std::filesystem::path slurm_script;

  std::filesystem::path program;           ///< this one
  std::vector<std::string> run_arguments;  ///< of `atelier run`, without those that are set here
  std::string output_extension = ".mkv";
  std::optional<planning::Prices> prices;
  planning::LayoutContext context;
  std::function<bool()> interrupted;
};

/// Runs the jobs, all layouts in turn, and writes results after each round: layouts.csv, layouts.md,
/// layouts.svg, and record and log of every job. Returns the table. Jobs that fail or hang are ended and
/// named in a JobError after the others have run; bad usage throws at once.
std::string benchmark_layouts(const LayoutBenchmarkConfig& config);

}  // namespace atelier::cli
