#include "atelier/planning/layout_results.h"

#include <algorithm>
#include <map>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/statistics.h"
#include "atelier/base/text.h"

namespace atelier::planning {
namespace {

const io::RankRow* find_rank(const io::JobRecord& record, bool root) {
  const auto found = std::ranges::find_if(
      record.ranks, [&](const io::RankRow& row) { return root ? row.rank == 0 : row.styles(); });
  return found == record.ranks.end() ? nullptr : &*found;
}

double work_s(const io::JobRecord& record) {
  return record.wall_s - record.startup_s;
}

template <typename Value>
double median_of(const std::vector<LayoutRun>& runs, Value LayoutRun::*member) {
  std::vector<double> values;
  for (const LayoutRun& run : runs) values.push_back(static_cast<double>(run.*member));
  return median(values);
}

LayoutSummary middle(const std::vector<LayoutRun>& runs) {
  LayoutSummary summary{.median = runs.front(), .num_runs = static_cast<int>(runs.size())};
  LayoutRun& m = summary.median;
  m.num_frames = static_cast<std::int64_t>(median_of(runs, &LayoutRun::num_frames));
  m.process_s = median_of(runs, &LayoutRun::process_s);
  m.startup_s = median_of(runs, &LayoutRun::startup_s);
  m.frames_per_s = median_of(runs, &LayoutRun::frames_per_s);
  m.bytes_between_machines = static_cast<std::int64_t>(median_of(runs, &LayoutRun::bytes_between_machines));
  m.bytes_moved = static_cast<std::int64_t>(median_of(runs, &LayoutRun::bytes_moved));
  m.root_cpu_ms_per_frame = median_of(runs, &LayoutRun::root_cpu_ms_per_frame);
  m.frames_lost_per_kill = median_of(runs, &LayoutRun::frames_lost_per_kill);
  if (m.cost_per_1000_frames) {
    std::vector<double> costs;
    for (const LayoutRun& run : runs) costs.push_back(run.cost_per_1000_frames.value_or(0));
    m.cost_per_1000_frames = median(costs);
  }
  const auto [least, most] = std::ranges::minmax(runs, {}, &LayoutRun::frames_per_s);
  summary.min_frames_per_s = least.frames_per_s;
  summary.max_frames_per_s = most.frames_per_s;
  return summary;
}

double frames_per_s_and_gpu(const LayoutRun& run) {
  return run.frames_per_s / run.settings.layout.num_workers();
}

bool comparable(const LayoutSettings& a, const LayoutSettings& b) {
  return a.scaling == b.scaling && a.chunk_frames == b.chunk_frames;
}

}  // namespace

std::string scaling_name(Scaling scaling) {
  return scaling == Scaling::strong ? "strong" : "weak";
}

double frames_lost_per_kill(const io::JobRecord& record) {
  if (work_s(record) <= 0) return 0;
  double waiting_s = 0;
  for (const io::FrameRow& frame : record.frames) {
    const auto chunk = static_cast<std::size_t>(frame.chunk_index);
    if (frame.done_s <= 0 || chunk >= record.chunks.size()) continue;
    waiting_s += std::max(0.0, record.chunks[chunk].encoded_s - frame.done_s);
    waiting_s += static_cast<double>(frame.style_s) / 2;
  }
  return waiting_s / work_s(record);
}

LayoutRun measure_run(const io::JobRecord& record, const LayoutSettings& settings, double process_s,
                      const Prices* prices) {
  LayoutRun run{.settings = settings};
  run.num_frames =
      std::ranges::count_if(record.frames, [](const io::FrameRow& row) { return row.done_s > 0; });
  if (run.num_frames == 0 || work_s(record) <= 0)
    throw UsageError(concat("the job on layout ", settings.layout.name(), " has styled no frame"));
  const auto num_frames = static_cast<double>(run.num_frames);
  run.process_s = process_s;
  run.startup_s = process_s - work_s(record);
  run.frames_per_s = num_frames / work_s(record);
  if (const io::RankRow* root = find_rank(record, true)) {
    run.bytes_between_machines = root->bytes_between_machines;
    run.bytes_moved = root->bytes_sent + root->bytes_received;
    run.root_cpu_ms_per_frame = 1e3 * root->message_cpu_s / num_frames;
  }
  if (const io::RankRow* worker = find_rank(record, false)) run.device = worker->device;
  run.frames_lost_per_kill = frames_lost_per_kill(record);
  if (prices != nullptr)
    run.cost_per_1000_frames = 1000 / num_frames * prices->cost(settings.layout, process_s);
  return run;
}

std::string placement_problem(const io::JobRecord& record, const Layout& layout) {
  std::map<std::string, int> workers;
  for (const io::RankRow& row : record.ranks)
    if (row.styles()) ++workers[row.host];
  const bool right = static_cast<int>(workers.size()) == layout.num_machines &&
                     std::ranges::all_of(workers, [&](const auto& machine) {
                       return machine.second == layout.gpus_per_machine;
                     });
  if (right) return {};
  std::vector<std::string> places;
  for (const auto& [host, number] : workers) places.push_back(concat(number, " on ", host));
  return concat("the workers of layout ", layout.name(), " were elsewhere: ", join(places, ", "));
}

std::string job_value(const io::JobRecord& record, const std::string& name) {
  const auto found = std::ranges::find(record.job, name, &std::pair<std::string, std::string>::first);
  return found == record.job.end() ? "" : found->second;
}

std::vector<LayoutSummary> summarise(const std::vector<LayoutRun>& runs) {
  std::vector<std::vector<LayoutRun>> groups;
  for (const LayoutRun& run : runs) {
    const auto same = std::ranges::find_if(
        groups, [&](const auto& group) { return group.front().settings == run.settings; });
    same == groups.end() ? groups.push_back({run}) : same->push_back(run);
  }
  std::vector<LayoutSummary> summaries;
  for (const auto& group : groups) summaries.push_back(middle(group));
  for (LayoutSummary& summary : summaries) {
    const LayoutRun* smallest = &summary.median;
    for (const LayoutSummary& other : summaries) {
      if (comparable(other.median.settings, summary.median.settings) &&
          other.median.settings.layout.num_workers() < smallest->settings.layout.num_workers())
        smallest = &other.median;
    }
    // Of several smallest ones the first that was named.
    for (const LayoutSummary& other : summaries) {
      if (comparable(other.median.settings, summary.median.settings) &&
          other.median.settings.layout.num_workers() == smallest->settings.layout.num_workers()) {
        smallest = &other.median;
        break;
      }
    }
    summary.efficiency = frames_per_s_and_gpu(summary.median) / frames_per_s_and_gpu(*smallest);
  }
  return summaries;
}

}  // namespace atelier::planning
