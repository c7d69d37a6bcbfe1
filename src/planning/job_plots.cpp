#include "job_plots.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "analysis.h"
#include "atelier/base/text.h"
#include "findings.h"
#include "html.h"
#include "plot.h"
#include "spans.h"

namespace atelier::planning {
namespace {

constexpr std::size_t max_groups = 40;  // lines of a chart
constexpr std::size_t max_activity_bins = 400;
constexpr std::size_t max_marks = 200;
constexpr std::size_t num_histogram_bins = 40;

// Events as marks at the top, few enough to be bounded.
void mark_events(Plot& plot, const io::JobRecord& record, double unit_s) {
  std::size_t num_marks = 0;
  for (const io::EventRow& event : record.events) {
    if (event.kind == "resume" || num_marks == max_marks) continue;
    ++num_marks;
    plot.mark(event.time_s / unit_s, concat(time_text(event.time_s), ", rank ", event.rank, ", ", event.kind,
                                            ": ", event.text.substr(0, 300)));
  }
}

std::string histogram(const std::string& name, const std::string& css, std::vector<double> seconds,
                      int width_px, int height_px) {
  const Spread s = spread(seconds);
  std::ranges::sort(seconds);
  const double p99_ms =
      1e3 * seconds[static_cast<std::size_t>(0.99 * static_cast<double>(seconds.size() - 1))];
  // A few stragglers must not squeeze all others into one bar.
  const double reach_ms = s.max_ms > 2 * p99_ms ? 1.25 * p99_ms : s.max_ms;
  const Axis x = nice_axis("ms an image", reach_ms * 1.02, width_px > 600 ? 10 : 5);
  std::vector<double> counts(num_histogram_bins, 0);
  std::int64_t num_beyond = 0;
  for (const double value : seconds) {
    const double ms = 1e3 * value;
    if (ms > x.max) {
      ++num_beyond;
      continue;
    }
    const auto bin = static_cast<std::size_t>(ms / x.max * static_cast<double>(num_histogram_bins));
    ++counts[std::min(bin, num_histogram_bins - 1)];
  }
  const Axis y = nice_axis("frames", *std::ranges::max_element(counts), 4, true);
  Plot plot(x, y, width_px, height_px, 2);
  plot.bars(counts, x.max, css);
  plot.note(s.median_ms, concat("median ", fixed(s.median_ms, s.median_ms < 10 ? 2 : 1)), 0);
  plot.note(s.p95_ms, concat("95 % below ", fixed(s.p95_ms, s.p95_ms < 10 ? 2 : 1)), 1);
  return concat("<h3>", html_text(name), "</h3>\n", plot.svg(concat("Histogram of time per image: ", name)),
                num_beyond == 0
                    ? ""
                    : concat("<p class=\"reading\">", num_beyond, num_beyond == 1 ? " frame" : " frames",
                             " took longer, at most ", fixed(s.max_ms, 1), " ms.</p>\n"));
}

// Names left of a chart, cut so that they fit.
std::string chart_label(const std::string& label, double y_px) {
  constexpr std::size_t max_chars = 27;
  const bool cut = label.size() > max_chars;
  return concat("<text x=\"0\" y=\"", px(y_px), "\">",
                html_text(cut ? label.substr(0, max_chars - 1) + "…" : label),
                cut ? concat("<title>", html_text(label), "</title>") : "", "</text>\n");
}

constexpr double chart_left_px = 190;
constexpr double chart_right_px = 985;

std::string time_ticks(const Axis& axis, double top_px, double bottom_px) {
  std::string svg;
  for (double value = 0; value <= axis.max * 1.0001; value += axis.tick) {
    const std::string x = px(chart_left_px + (chart_right_px - chart_left_px) * value / axis.max);
    svg += concat("<path class=\"grid\" d=\"M", x, ' ', px(top_px), 'V', px(bottom_px + 4),
                  "\"/><text class=\"t\" x=\"", x, "\" y=\"", px(bottom_px + 18),
                  "\" text-anchor=\"middle\">", fixed(value, axis.decimals), "</text>\n");
  }
  return svg + concat("<text class=\"t\" x=\"", px((chart_left_px + chart_right_px) / 2), "\" y=\"",
                      px(bottom_px + 36), "\" text-anchor=\"middle\">", html_text(axis.title), "</text>\n");
}

}  // namespace

Rate rate_over_time(const io::JobRecord& record, const std::vector<io::FrameRow>& styled,
                    std::size_t max_parts) {
  Rate rate;
  rate.end_s = record.wall_s;
  for (const io::FrameRow& row : styled) rate.end_s = std::max(rate.end_s, row.done_s);
  // Some frames a part, or the numbers only tell when single frames came.
  constexpr std::size_t frames_a_part = 8;
  const std::size_t num_parts = std::clamp<std::size_t>(styled.size() / frames_a_part, 1, max_parts);
  rate.frames_per_s.assign(num_parts, 0);
  if (rate.end_s <= 0) return rate;
  const double part_s = rate.end_s / static_cast<double>(num_parts);
  for (const io::FrameRow& row : styled)
    rate.frames_per_s[std::min(num_parts - 1, static_cast<std::size_t>(row.done_s / part_s))] += 1 / part_s;
  return rate;
}

std::string legend(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string html = "<div class=\"legend\">";
  for (const auto& [css, text] : entries) {
    const bool is_line = css.starts_with('l');
    html += concat("<span><svg viewBox=\"0 0 22 12\">",
                   is_line ? concat("<path class=\"", css, "\" d=\"M0 6H22\"/>")
                           : concat("<rect class=\"", css, "\" width=\"22\" height=\"12\"/>"),
                   "</svg>", html_text(text), "</span>");
  }
  return html + "</div>\n";
}

std::string speed_section(const io::JobRecord& record, const std::vector<io::FrameRow>& styled) {
  constexpr std::size_t max_parts = 160;
  const Rate rate = rate_over_time(record, styled, max_parts);
  const TimeUnit unit = time_unit(rate.end_s);
  Plot plot(exact_axis(concat("time since the job's start (", unit.name, ")"), rate.end_s / unit.seconds, 10),
            nice_axis("frames/s", *std::ranges::max_element(rate.frames_per_s), 5));
  plot.bars(rate.frames_per_s, rate.end_s / unit.seconds, "area");
  if (record.startup_s > 0.02 * rate.end_s) plot.note(record.startup_s / unit.seconds, "first frames dealt");
  mark_events(plot, record, unit.seconds);
  return html_section(
      "Speed over time",
      concat("Styled frames that came back to the root, per second, in ", rate.frames_per_s.size(),
             rate.frames_per_s.size() == 1 ? " part of " : " equal parts of ",
             time_text(rate.end_s / static_cast<double>(rate.frames_per_s.size())),
             ". Red marks at the top are events: warnings, retries, errors."),
      plot.svg("Frames per second over the job's time"));
}

std::string image_time_section(const std::vector<io::FrameRow>& timed) {
  std::vector<double> seconds(timed.size());
  std::ranges::transform(timed, seconds.begin(), all_stages_s);
  std::string html = histogram("All stages together", "all", seconds, 1000, 220) + "<div class=\"small\">\n";
  for (const FrameStage& stage : frame_stages) {
    std::ranges::transform(timed, seconds.begin(),
                           [&](const io::FrameRow& row) { return static_cast<double>(row.*stage.seconds); });
    if (*std::ranges::max_element(seconds) <= 0) continue;  // no transfer to a device on CPUs
    const std::string name = stage.name == std::string("transfer")  ? "transfer (to and from the GPU)"
                             : stage.name == std::string("convert") ? "convert (planes to tensor and back)"
                                                                    : stage.name;
    html += concat("<div>", histogram(name, stage.name, seconds, 350, 190), "</div>\n");
  }
  return html_section(
      "Time per image",
      "How many frames took how long. An image passes the stages one after another, while other images "
      "are in other stages: the times of stages add up to the upper plot, not to the time of the job.",
      html + "</div>\n");
}

std::string activity_section(const io::JobRecord& record) {
  const std::vector<RankGroup> groups = group_ranks(record, max_groups);
  const bool knows = knows_begins(record);
  const std::vector<BusyShares> shares = busy_shares(record, groups, max_activity_bins);
  const TimeUnit unit = time_unit(record.wall_s);
  const Axis axis =
      exact_axis(concat("time since the job's start (", unit.name, ")"), record.wall_s / unit.seconds, 10);
  constexpr double strip_px = 13;
  constexpr double gap_px = 7;
  double y = 4;
  std::string rows;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    double label_y = y + strip_px - 2;
    double row_y = y;
    for (int a = 0; a < num_activities; ++a) {
      const auto at = static_cast<std::size_t>(a);
      const bool empty = std::ranges::all_of(shares[g][at], [](double value) { return value <= 0; });
      const bool always = static_cast<Activity>(a) == Activity::style && groups[g].works;
      if (empty && !always) continue;
      const char* name = name_of(static_cast<Activity>(a));
      rows += concat("<rect class=\"track\" x=\"", px(chart_left_px), "\" y=\"", px(row_y), "\" width=\"",
                     px(chart_right_px - chart_left_px), "\" height=\"", px(strip_px), "\"/>");
      if (!empty)
        rows +=
            concat("<path class=\"", name, "\" d=\"",
                   strip_path(shares[g][at], chart_left_px, row_y, chart_right_px - chart_left_px, strip_px),
                   "\"><title>", html_text(groups[g].label), ": ", name, "</title></path>\n");
      row_y += strip_px + 1;
    }
    if (row_y == y) row_y += strip_px + 1;
    rows += chart_label(groups[g].label, label_y);
    y = row_y + gap_px;
  }
  const std::string svg = concat("<svg viewBox=\"0 0 1000 ", px(y + 42),
                                 "\" role=\"img\" aria-label=\"What each rank did when\">\n",
                                 time_ticks(axis, 0, y), rows, "</svg>\n");
  std::vector<std::pair<std::string, std::string>> entries{{"decode", "decode"},
                                                           {"transfer", "transfer between root and worker"},
                                                           {"style", "style, with conversion"},
                                                           {"encode", "encode"}};
  std::string reading =
      "From left to right the job's time, a line for each rank and stage. The height of the colour is the "
      "share of its "
      "threads that were busy: a full bar is all of them all the time, an empty one is waiting.";
  if (record.ranks.size() > max_groups) reading += " Ranks are put together by machine.";
  if (!knows) {
    reading =
        "This record is of an older version and has no times of single frames: a bar shows that a rank had a "
        "chunk to "
        "style, from dealing to done, and a chunk to encode.";
    entries = {{"style", "a chunk to style"}, {"encode", "a chunk to encode"}};
  }
  return html_section("Who did what when", reading, legend(entries) + svg);
}

namespace {

// Busy seconds of each stage, of a group of ranks.
struct Use {
  std::array<double, frame_stages.size()> busy_s{};
  std::int64_t num_frames = 0;
};

std::vector<Use> uses_of(const io::JobRecord& record, const std::vector<io::FrameRow>& styled,
                         const std::vector<RankGroup>& groups) {
  std::map<int, std::size_t> group_of_rank;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const int rank : groups[g].ranks) group_of_rank[rank] = g;
  }
  std::vector<Use> uses(groups.size());
  const auto use_of = [&](int rank) -> Use* {
    const auto it = group_of_rank.find(rank);
    return it == group_of_rank.end() ? nullptr : &uses[it->second];
  };
  const bool at_workers = encodes_at_workers(record);
  const bool knows = knows_begins(record);
  for (const io::FrameRow& row : styled) {
    const auto chunk = static_cast<std::size_t>(row.chunk_index);
    int encoder = at_workers ? row.rank : 0;
    if (at_workers && knows && chunk < record.chunks.size()) encoder = record.chunks[chunk].encode_rank;
    const std::array<int, frame_stages.size()> rank_of{0, row.rank, row.rank, row.rank, encoder};
    for (std::size_t s = 0; s < frame_stages.size(); ++s) {
      if (Use* use = use_of(rank_of[s])) use->busy_s[s] += static_cast<double>(row.*frame_stages[s].seconds);
    }
    if (Use* use = use_of(row.rank)) ++use->num_frames;
  }
  return uses;
}

}  // namespace

std::string use_section(const io::JobRecord& record, const std::vector<io::FrameRow>& styled) {
  const std::vector<RankGroup> groups = group_ranks(record, max_groups);
  const std::vector<Use> uses = uses_of(record, styled, groups);
  const double work_s = std::max(1e-9, record.wall_s - record.startup_s);
  // Each activity has threads of its own, so each has a bar.
  struct Bar {
    Activity activity;
    std::size_t first_stage;
    std::size_t end_stage;
  };
  constexpr std::array bars{Bar{Activity::decode, 0, 1}, Bar{Activity::style, 1, 4},
                            Bar{Activity::encode, 4, 5}};
  constexpr double bar_px = 11;
  constexpr double bars_px = 480;
  constexpr double gap_px = 8;
  double y = 4;
  std::string svg;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    svg += chart_label(groups[g].label, y + bar_px - 1);
    std::vector<std::string> texts;
    const double first_y = y;
    for (const Bar& bar : bars) {
      const int lanes = groups[g].lanes[static_cast<std::size_t>(bar.activity)];
      if (lanes == 0) continue;
      const double all_s = work_s * lanes;
      svg += concat("<rect class=\"track\" x=\"", px(chart_left_px), "\" y=\"", px(y), "\" width=\"",
                    px(bars_px), "\" height=\"", px(bar_px), "\"/>");
      double before_s = 0;
      for (std::size_t s = bar.first_stage; s < bar.end_stage; ++s) {
        const double from = std::min(1.0, before_s / all_s);
        before_s += uses[g].busy_s[s];
        const double width = bars_px * (std::min(1.0, before_s / all_s) - from);
        if (width <= 0) continue;
        svg += concat("<rect class=\"", frame_stages[s].name, "\" x=\"", px(chart_left_px + bars_px * from),
                      "\" y=\"", px(y), "\" width=\"", px(std::max(0.5, width)), "\" height=\"", px(bar_px),
                      "\"><title>", frame_stages[s].name, ": ", percent_text(width / bars_px), ", ",
                      time_text(uses[g].busy_s[s]), "</title></rect>");
      }
      texts.push_back(concat(name_of(bar.activity), ' ', percent_text(std::min(1.0, before_s / all_s))));
      y += bar_px + 1;
    }
    if (groups[g].works)
      texts.push_back(concat(uses[g].num_frames, uses[g].num_frames == 1 ? " frame" : " frames", ", ",
                             fixed(static_cast<double>(uses[g].num_frames) / work_s, 2), "/s"));
    svg += concat("<text x=\"", px(chart_left_px + bars_px + 10), "\" y=\"", px(first_y + bar_px - 1), "\">",
                  html_text(join(texts, " · ")), "</text>\n");
    y = std::max(y, first_y + bar_px + 4) + gap_px;
  }
  std::vector<std::pair<std::string, std::string>> entries;
  for (const FrameStage& stage : frame_stages) entries.emplace_back(stage.name, stage.name);
  return html_section(
      "Use of each rank",
      "How much of the time from the first deal to the job's end the threads of a rank were busy, a bar for "
      "what decodes, "
      "styles and encodes. A full bar is all its threads all the time; what is empty is waiting.",
      legend(entries) + concat("<svg viewBox=\"0 0 1000 ", px(y),
                               "\" role=\"img\" aria-label=\"Use of each rank\">\n", svg, "</svg>\n"));
}

}  // namespace atelier::planning
