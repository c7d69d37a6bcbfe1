#include <algorithm>
#include <map>
#include <set>

#include "atelier/base/text.h"
#include "atelier/planning/layout_results.h"
#include "svg_chart.h"

namespace atelier::planning {
namespace {

using Value = double (*)(const LayoutSummary&);

double num_gpus(const LayoutSummary& summary) {
  return summary.median.settings.layout.num_workers();
}
double throughput(const LayoutSummary& summary) {
  return summary.median.frames_per_s;
}
double efficiency(const LayoutSummary& summary) {
  return summary.efficiency;
}
double lost(const LayoutSummary& summary) {
  return summary.median.frames_lost_per_kill;
}
double chunk_frames(const LayoutSummary& summary) {
  return static_cast<double>(summary.median.settings.chunk_frames);
}

/// A line of the plots: what is compared within it differs in the layout only.
struct Group {
  std::string name;
  std::string color;
  std::vector<LayoutSummary> summaries;  ///< by GPUs
};

std::vector<Group> groups_of(const std::vector<LayoutSummary>& summaries) {
  std::set<Scaling> scalings;
  std::set<std::int64_t> lengths;
  for (const LayoutSummary& summary : summaries) {
    scalings.insert(summary.median.settings.scaling);
    lengths.insert(summary.median.settings.chunk_frames);
  }
  std::map<std::pair<Scaling, std::int64_t>, Group> by_key;
  for (const LayoutSummary& summary : summaries) {
    const LayoutSettings& s = summary.median.settings;
    Group& group = by_key[{s.scaling, s.chunk_frames}];
    group.name = concat(scaling_name(s.scaling), " scaling");
    if (lengths.size() > 1)
      group.name = concat(scalings.size() > 1 ? group.name + ", " : "", s.chunk_frames, " frames a chunk");
    group.summaries.push_back(summary);
  }
  std::vector<Group> groups;
  for (auto& [key, group] : by_key) {
    group.color = chart_color(groups.size());
    std::ranges::stable_sort(group.summaries, {}, num_gpus);
    groups.push_back(std::move(group));
  }
  return groups;
}

ChartSeries series_of(const Group& group, Value x, Value y, bool with_names) {
  ChartSeries series{.name = group.name, .color = group.color, .points = {}};
  for (const LayoutSummary& summary : group.summaries)
    series.points.push_back(
        {x(summary), y(summary), with_names ? summary.median.settings.layout.name() : ""});
  return series;
}

/// From the smallest layout on, in proportion to the GPUs.
ChartSeries ideal(const Group& group, double most_gpus) {
  const LayoutSummary& least = group.summaries.front();
  const double a_gpu = throughput(least) / num_gpus(least);
  return {.name = "ideal",
          .color = "#777777",
          .dashed = true,
          .points = {{num_gpus(least), throughput(least)}, {most_gpus, a_gpu * most_gpus}}};
}

/// By chunk length, on the largest layout of each scaling.
std::vector<ChartSeries> by_length(const std::vector<LayoutSummary>& summaries, Value y) {
  std::map<Scaling, std::vector<LayoutSummary>> by_scaling;
  for (const LayoutSummary& summary : summaries)
    by_scaling[summary.median.settings.scaling].push_back(summary);
  std::vector<ChartSeries> all;
  for (auto& [scaling, group] : by_scaling) {
    const Layout largest = std::ranges::max(group, {}, num_gpus).median.settings.layout;
    std::erase_if(group, [&](const LayoutSummary& s) { return !(s.median.settings.layout == largest); });
    std::ranges::sort(group, {}, chunk_frames);
    all.push_back(series_of({.name = concat(largest.name(), ", ", scaling_name(scaling), " scaling"),
                             .color = chart_color(all.size()),
                             .summaries = group},
                            chunk_frames, y, false));
  }
  return all;
}

}  // namespace

std::string layouts_svg(const std::vector<LayoutSummary>& summaries) {
  if (summaries.empty()) return svg_document({});
  const std::vector<Group> groups = groups_of(summaries);
  const double most_gpus = num_gpus(std::ranges::max(summaries, {}, num_gpus));
  const ChartAxis gpus{.title = "GPUs", .logarithmic = true};
  Chart rate{.title = "Throughput",
             .x = gpus,
             .y = {.title = "frames/s", .logarithmic = true},
             .series = {ideal(groups.front(), most_gpus)}};
  Chart share{.title = "Efficiency",
              .x = gpus,
              .y = {.title = "frames/s a GPU, share of the smallest layout", .from_zero = true},
              .series = {{.name = "ideal",
                          .color = "#777777",
                          .dashed = true,
                          .points = {{num_gpus(groups.front().summaries.front()), 1}, {most_gpus, 1}}}}};
  for (const Group& group : groups) {
    const bool first = &group == &groups.front();
    rate.series.push_back(series_of(group, num_gpus, throughput, first));
    share.series.push_back(series_of(group, num_gpus, efficiency, false));
  }
  std::set<double> lengths;
  for (const LayoutSummary& summary : summaries) lengths.insert(chunk_frames(summary));
  std::vector<Chart> charts{rate, share};
  if (lengths.size() > 1) {
    const ChartAxis length{.title = "frames a chunk", .logarithmic = true};
    charts.push_back({.title = "Chunk length and throughput",
                      .x = length,
                      .y = {.title = "frames/s", .from_zero = true},
                      .series = by_length(summaries, throughput)});
    charts.push_back({.title = "Chunk length and the cost of a failure",
                      .x = length,
                      .y = {.title = "frames lost per kill", .from_zero = true},
                      .series = by_length(summaries, lost)});
  }
  return svg_document(charts);
}

}  // namespace atelier::planning
