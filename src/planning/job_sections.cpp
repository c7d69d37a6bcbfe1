#include "job_sections.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "findings.h"
#include "html.h"

namespace atelier::planning {
namespace {

constexpr std::size_t num_slowest = 12;
constexpr std::size_t max_events = 100;
constexpr std::size_t max_text = 500;
constexpr std::size_t max_machines = 64;

Cell number(const std::string& text) {
  return {text, true};
}

std::string milliseconds(double seconds) {
  return fixed(1e3 * seconds, 1);
}

// The frame's time in the input: pts times time base.
std::string video_time(const io::JobRecord& record, std::int64_t pts_ticks) {
  int num = 0;
  int den = 0;
  if (std::sscanf(job_value(record, "input.time_base").c_str(), "%d/%d", &num, &den) != 2 || den == 0)
    return "";
  const double seconds = static_cast<double>(pts_ticks) * num / den;
  const auto whole = static_cast<long long>(std::max(0.0, seconds));
  return concat(human_duration(static_cast<double>(whole)),
                fixed(std::max(0.0, seconds) - static_cast<double>(whole), 3).substr(1));
}

std::string machines_text(const io::JobRecord& record) {
  std::map<std::string, std::map<std::string, int>> machines;
  for (const io::RankRow& row : record.ranks) ++machines[row.host][row.device.empty() ? "root" : row.device];
  std::vector<std::string> texts;
  for (const auto& [host, devices] : machines) {
    if (texts.size() == max_machines) {
      texts.push_back(concat("and ", machines.size() - max_machines, " more"));
      break;
    }
    std::vector<std::string> parts;
    for (const auto& [device, count] : devices)
      parts.push_back(count == 1 ? device : concat(count, " × ", device));
    texts.push_back(concat(host.empty() ? "one machine" : host, " (", join(parts, ", "), ")"));
  }
  return join(texts, ", ");
}

std::string picture_text(const io::JobRecord& record) {
  const auto value = [&](const char* name) { return job_value(record, name); };
  if (value("input.width_px").empty()) return "";
  std::string text =
      concat(value("input.width_px"), " × ", value("input.height_px"), ", ", value("input.pixel_format"),
             ", ", value("input.codec"), " in ", value("input.container"));
  int num = 0;
  int den = 0;
  if (std::sscanf(value("input.frame_rate").c_str(), "%d/%d", &num, &den) == 2 && num > 0 && den > 0)
    text += concat(", ", fixed(static_cast<double>(num) / den, 3), " frames/s");
  return text;
}

std::string limit_text(const Spread& s, int lanes) {
  constexpr double no_limit = 1e5;
  const double limit = s.mean_ms > 0 ? 1e3 * lanes / s.mean_ms : no_limit;
  return limit < no_limit ? fixed(limit, 1) : "–";
}

}  // namespace

std::string tiles(const io::JobRecord& record, const KeyNumbers& numbers, const JobCost* cost) {
  std::string html = "<div class=\"tiles\">";
  const auto tile = [&](const std::string& value, const std::string& name) {
    html +=
        concat("<div class=\"tile\"><b>", html_text(value), "</b><span>", html_text(name), "</span></div>");
  };
  tile(std::to_string(numbers.num_styled),
       numbers.num_restored > 0 ? concat("frames styled, ", numbers.num_restored, " were there")
                                : "frames styled");
  tile(time_text(record.wall_s), "time of the job");
  if (numbers.num_styled > 0) {
    tile(fixed(numbers.frames_per_s, 2), "frames/s, whole job");
    tile(fixed(numbers.work_frames_per_s, 2), "frames/s without the start");
    tile(concat(fixed(numbers.image.median_ms, 1), " ms"), "median image, all stages");
  }
  const int helpers = num_helpers(record);
  const std::string workers =
      numbers.num_ranks == 1
          ? "1 process"
          : concat(numbers.num_workers, numbers.num_workers == 1 ? " worker" : " workers",
                   helpers == 0 ? "" : concat(", ", helpers, helpers == 1 ? " helper" : " helpers"),
                   " and the root");
  tile(workers, concat("on ", numbers.num_machines, numbers.num_machines == 1 ? " machine" : " machines"));
  if (cost != nullptr)
    tile(concat(money_text(cost->cost), ' ', cost->currency),
         concat("cost, ", money_text(cost->cost_of_1000_frames), " for 1000 frames"));
  return html + "</div>\n";
}

std::string stage_section(const io::JobRecord& record, const KeyNumbers& numbers) {
  std::vector<std::vector<Cell>> rows;
  const auto row = [&](const std::string& name, const Spread& s, const std::string& lanes,
                       const std::string& limit) {
    rows.push_back({{name},
                    number(fixed(s.mean_ms, 2)),
                    number(fixed(s.median_ms, 2)),
                    number(fixed(s.p95_ms, 2)),
                    number(fixed(s.max_ms, 2)),
                    number(fixed(s.total_s, 2)),
                    number(lanes),
                    number(limit)});
  };
  for (std::size_t i = 0; i < frame_stages.size(); ++i) {
    const Spread& s = numbers.stages[i];
    const int lanes = num_lanes(record, frame_stages[i]);
    row(frame_stages[i].name, s, std::to_string(lanes), limit_text(s, lanes));
  }
  row("all stages", numbers.image, "", "");
  return html_section("Stages",
                      "Milliseconds an image, seconds over all images. Lanes are images that a stage works "
                      "on at a time; the last "
                      "column is what the stage could reach with all of them busy all the time.",
                      html_table({{"stage"},
                                  number("mean ms"),
                                  number("median ms"),
                                  number("95 % below ms"),
                                  number("longest ms"),
                                  number("total s"),
                                  number("lanes"),
                                  number("at most frames/s")},
                                 rows));
}

std::string slowest_section(const io::JobRecord& record, const std::vector<io::FrameRow>& styled) {
  std::vector<io::FrameRow> frames = styled;
  const std::size_t count = std::min(num_slowest, frames.size());
  const auto end = frames.begin() + static_cast<std::ptrdiff_t>(count);
  std::ranges::partial_sort(frames, end, [](const io::FrameRow& a, const io::FrameRow& b) {
    return std::pair(-all_stages_s(a), a.frame_index) < std::pair(-all_stages_s(b), b.frame_index);
  });
  std::vector<Cell> head{number("frame"), number("time in the video"), number("chunk"), number("rank"),
                         number("all ms")};
  for (const FrameStage& stage : frame_stages) head.push_back(number(concat(stage.name, " ms")));
  std::vector<std::vector<Cell>> rows;
  for (auto frame = frames.begin(); frame != end; ++frame) {
    rows.push_back({number(std::to_string(frame->frame_index)), number(video_time(record, frame->pts_ticks)),
                    number(std::to_string(frame->chunk_index)), number(std::to_string(frame->rank)),
                    number(milliseconds(all_stages_s(*frame)))});
    for (const FrameStage& stage : frame_stages)
      rows.back().push_back(number(milliseconds(static_cast<double>((*frame).*stage.seconds))));
  }
  return html_section("Slowest images", "", html_table(head, rows));
}

std::string event_section(const io::JobRecord& record) {
  if (record.events.empty()) return {};
  std::vector<std::vector<Cell>> rows;
  const std::size_t count = std::min(max_events, record.events.size());
  for (std::size_t i = 0; i < count; ++i) {
    // Of too many the first and the last.
    const bool late = record.events.size() > max_events && i >= max_events / 2;
    const io::EventRow& event = record.events[late ? record.events.size() - count + i : i];
    rows.push_back({number(fixed(event.time_s, 2)),
                    number(std::to_string(event.rank)),
                    {event.kind},
                    {event.text.size() > max_text ? event.text.substr(0, max_text) + " …" : event.text}});
  }
  const std::string more =
      record.events.size() > max_events
          ? concat("Of ", record.events.size(), " events the first and last ", max_events / 2, ".")
          : "";
  return html_section("Retries and other events", more,
                      html_table({number("after s"), number("rank"), {"kind"}, {"what"}}, rows));
}

std::string cost_section(const JobCost& cost) {
  const auto money = [&](double amount) { return concat(money_text(amount), ' ', cost.currency); };
  return html_section(
      "Cost", "What the machines of the workers cost from the job's start to its end, by the price file.",
      html_facts(
          {{"this job", money(cost.cost)},
           {"1000 frames", cost.cost_of_1000_frames > 0 ? money(cost.cost_of_1000_frames) : ""},
           {"machines", cost.machines},
           {"starting them from zero",
            cost.cold_start_cost > 0 ? concat(money(cost.cold_start_cost), " more") : ""},
           {"left out", cost.root_is_left_out ? "the machine of the root, which has no worker" : ""}}));
}

std::string facts_section(const io::JobRecord& record) {
  const auto value = [&](const char* name) { return job_value(record, name); };
  const std::string version = value("program_version");
  std::vector<std::string> styles;
  for (const auto& [name, text] : record.job) {
    if (name == "setting.style" || name.starts_with("setting.style.")) styles.push_back(text);
  }
  const std::string encode_at = value("encode_at");
  std::string html = html_facts({
      {"outcome", value("outcome")},
      {"error", value("error")},
      {"input", value("input.path").empty() ? value("setting.input") : value("input.path")},
      {"picture", picture_text(record)},
      {"output", value("setting.output")},
      {"engine", value("setting.engine")},
      {"style", join(styles, ", ")},
      {"encoder", value("encoder").empty()
                      ? ""
                      : concat(value("encoder"), encode_at.empty() ? "" : concat(", at the ", encode_at),
                               ", ", value("encoder.pixel_format"), ", ", value("encoder.options"))},
      {"frames in a chunk", value("chunk_frames")},
      {"machines", machines_text(record)},
      {"launcher", value("launcher")},
      {"started", record.start_time_s > 0 ? utc_text(record.start_time_s) : ""},
      {"program", version.empty() ? "" : concat("atelier ", version, " (git ", value("git_sha"), ")")},
      {"libraries", join({value("libtorch"), value("ffmpeg"), value("hdf5")}, ", ")},
  });
  std::vector<std::pair<std::string, std::string>> all = record.job;
  for (auto& [name, text] : all) {
    if (text.size() > max_text) text = text.substr(0, max_text) + " …";
  }
  html += concat("<details><summary>Everything the record says of the job</summary>", html_facts(all),
                 "</details>\n");
  return html_section("The job", "", html);
}

}  // namespace atelier::planning
