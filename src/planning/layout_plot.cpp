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
  std::string name = {};
  std::string color = {};
  std::vector<LayoutSummary> summaries = {};  ///< by GPUs
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

/// The best of each x joined, the others beside; names of layouts at the best.
void add_series(Chart& chart, const Group& group, Value x, Value y, bool with_names) {
  ChartSeries best{.name = group.name, .color = group.color};
  ChartSeries others{.color = group.color, .joined = false};
  std::map<double, std::vector<const LayoutSummary*>> by_x;
  for (const LayoutSummary& summary : group.summaries) by_x[x(summary)].push_back(&summary);
  for (auto& [place, summaries] : by_x) {
    std::vector<std::string> names;
    for (const LayoutSummary* summary : summaries) names.push_back(summary->median.settings.layout.name());
    const auto top = std::ranges::max_element(summaries, {}, [&](const LayoutSummary* s) { return y(*s); });
    best.points.push_back({place, y(**top), with_names ? join(names, " ") : ""});
    for (auto it = summaries.begin(); it != summaries.end(); ++it)
      if (it != top) others.points.push_back({place, y(**it)});
  }
  chart.series.push_back(std::move(best));
  if (!others.points.empty()) chart.series.push_back(std::move(others));
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
Chart by_length(const std::vector<LayoutSummary>& summaries, const std::string& title,
                const std::string& unit, Value y) {
  Chart chart{.title = title,
              .x = {.title = "frames a chunk", .logarithmic = true},
              .y = {.title = unit, .from_zero = true}};
  std::map<Scaling, std::vector<LayoutSummary>> by_scaling;
  for (const LayoutSummary& summary : summaries)
    by_scaling[summary.median.settings.scaling].push_back(summary);
  for (auto& [scaling, group] : by_scaling) {
    const Layout largest = std::ranges::max(group, {}, num_gpus).median.settings.layout;
    std::erase_if(group, [&](const LayoutSummary& s) { return !(s.median.settings.layout == largest); });
    add_series(chart,
               {.name = concat(largest.name(), ", ", scaling_name(scaling), " scaling"),
                .color = chart_color(chart.series.size()),
                .summaries = group},
               chunk_frames, y, false);
  }
  return chart;
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
              .y = {.title = "efficiency", .from_zero = true},
              .series = {{.name = "ideal",
                          .color = "#777777",
                          .dashed = true,
                          .points = {{num_gpus(groups.front().summaries.front()), 1}, {most_gpus, 1}}}}};
  for (const Group& group : groups) {
    const bool first = &group == &groups.front();
    add_series(rate, group, num_gpus, throughput, first);
    add_series(share, group, num_gpus, efficiency, false);
  }
  std::set<double> lengths;
  for (const LayoutSummary& summary : summaries) lengths.insert(chunk_frames(summary));
  const bool same_layout = std::ranges::all_of(
      summaries, [&](const LayoutSummary& s) { return num_gpus(s) == num_gpus(summaries.front()); });
  std::vector<Chart> charts;
  if (!same_layout || lengths.size() == 1) charts = {rate, share};
  if (lengths.size() > 1) {
    charts.push_back(by_length(summaries, "Chunk length and throughput", "frames/s", throughput));
    charts.push_back(
        by_length(summaries, "Chunk length and the cost of a failure", "frames lost per kill", lost));
  }
  return svg_document(charts);
}

}  // namespace atelier::planning
