#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "atelier/io/record.h"
#include "atelier/planning/layout.h"
#include "atelier/planning/prices.h"

namespace atelier::planning {

/// Whether the same clip goes to all layouts, or frames in proportion to their GPUs.
enum class Scaling { strong, weak };
std::string scaling_name(Scaling scaling);

/// What was run.
struct LayoutSettings {
  Layout layout = {};
  Scaling scaling = Scaling::strong;
  std::int64_t chunk_frames = 0;
  bool operator==(const LayoutSettings&) const = default;
};

/// One job on one layout, as its record and the clock around its processes tell.
struct LayoutRun {
  LayoutSettings settings = {};
  int repeat = 1;
  std::int64_t num_frames = 0;
  double process_s = 0;     ///< from the start of the launcher to its end
  double startup_s = 0;     ///< of it, all but the time from the first chunk dealt to the video finished
  double frames_per_s = 0;  ///< in that time
  std::int64_t bytes_between_machines = 0;
  std::int64_t bytes_moved = 0;      ///< between root and workers, whether on one machine or not
  double root_cpu_ms_per_frame = 0;  ///< of the thread that deals and collects
  double frames_lost_per_kill = 0;   ///< expected, see frames_lost_per_kill
  std::optional<double> cost_per_1000_frames = {};
  std::string device = {};  ///< of the first worker
};

/// Reads the numbers of a job that was done. Throws UsageError for a record without styled frames.
LayoutRun measure_run(const io::JobRecord& record, const LayoutSettings& settings, double process_s,
                      const Prices* prices);

/// Why the workers of a job were not where the layout wants them; empty if they were.
std::string placement_problem(const io::JobRecord& record, const Layout& layout);

/// A value of the record's job, such as "chunk_frames"; empty where it has none of this name.
std::string job_value(const io::JobRecord& record, const std::string& name);

/// Frames whose work is lost, on average, if the job is killed at a random moment of its work: those that are
/// styled while their chunk is not finished, and half of each frame being styled.
double frames_lost_per_kill(const io::JobRecord& record);

/// The middle of several runs with the same settings.
struct LayoutSummary {
  LayoutRun median = {};  ///< each number's own median
  double min_frames_per_s = 0;
  double max_frames_per_s = 0;
  int num_runs = 0;
  double efficiency = 0;  ///< frames/s a GPU, against the smallest layout of equal scaling and chunk length
};

/// In the order of the settings' first runs.
std::vector<LayoutSummary> summarise(const std::vector<LayoutRun>& runs);

/// What all runs have in common, for the heads of the files.
struct LayoutContext {
  std::string program = {};  ///< version and commit
  std::string command = {};
  std::string utc = {};
  std::string launcher = {};
  std::string currency = {};  ///< empty: no prices
};

/// One line a run, with a header line.
std::string layouts_csv(const std::vector<LayoutRun>& runs, const LayoutContext& context);
/// A table of the summaries.
std::string layouts_markdown(const std::vector<LayoutSummary>& summaries, const LayoutContext& context);
/// Throughput and efficiency against the number of GPUs; with several chunk lengths also what their length
/// does to throughput and to the cost of a failure.
std::string layouts_svg(const std::vector<LayoutSummary>& summaries);

}  // namespace atelier::planning
