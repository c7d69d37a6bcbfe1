#include "comparison.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "atelier/base/text.h"
#include "findings.h"
#include "html.h"
#include "job_plots.h"
#include "plot.h"

namespace atelier::planning {
namespace {

constexpr std::size_t num_colors = 6;
constexpr std::size_t max_lines = 12;  // more cannot be told apart in a plot

std::string line_css(std::size_t index) {
  return concat('l', index % num_colors, index % (2 * num_colors) < num_colors ? "" : " dash");
}

struct Row {
  std::string name;
  std::function<double(const Analysed&)> value;
  int decimals = 2;
  bool tell_difference = true;
};

std::string difference(double value, double first) {
  if (first == 0 || value == first) return "";
  const double factor = value / first;
  if (factor >= 2) return concat(" (× ", fixed(factor, factor < 10 ? 1 : 0), ")");
  const double percent = 100 * (factor - 1);
  return concat(" (", percent >= 0 ? "+" : "−", fixed(std::abs(percent), std::abs(percent) < 10 ? 1 : 0),
                " %)");
}

std::vector<Row> number_rows() {
  std::vector<Row> rows{
      {"frames styled", [](const Analysed& a) { return static_cast<double>(a.numbers.num_styled); }, 0},
      {"time of the job, s", [](const Analysed& a) { return a.named->record.wall_s; }},
      {"until the first deal, s", [](const Analysed& a) { return a.named->record.startup_s; }},
      {"frames/s", [](const Analysed& a) { return a.numbers.frames_per_s; }},
      {"frames/s without the start", [](const Analysed& a) { return a.numbers.work_frames_per_s; }},
      {"all stages, median ms an image", [](const Analysed& a) { return a.numbers.image.median_ms; }},
      {"all stages, 95 % below ms", [](const Analysed& a) { return a.numbers.image.p95_ms; }},
  };
  for (std::size_t i = 0; i < frame_stages.size(); ++i)
    rows.push_back({concat(frame_stages[i].name, ", mean ms an image"),
                    [i](const Analysed& a) { return a.numbers.stages[i].mean_ms; }});
  for (std::size_t i = 0; i < 3; ++i) {
    constexpr std::array names{"decoding busy, %", "styling busy, %", "encoding busy, %"};
    rows.push_back(
        {names[i],
         [i](const Analysed& a) { return a.numbers.loads.empty() ? 0 : 100 * a.numbers.loads[i].use; }, 0,
         false});
  }
  const auto count = [&](const char* name, int KeyNumbers::*member) {
    rows.push_back({name, [member](const Analysed& a) { return static_cast<double>(a.numbers.*member); }, 0});
  };
  count("ranks", &KeyNumbers::num_ranks);
  count("machines", &KeyNumbers::num_machines);
  count("chunks styled again", &KeyNumbers::num_retries);
  rows.push_back(
      {"most memory of a rank, MiB",
       [](const Analysed& a) { return static_cast<double>(a.numbers.peak_memory_bytes) / (1 << 20); }, 0});
  rows.push_back({"cost", [](const Analysed& a) { return a.cost ? a.cost->cost : 0; }, 4});
  rows.push_back(
      {"cost of 1000 frames", [](const Analysed& a) { return a.cost ? a.cost->cost_of_1000_frames : 0; }, 4});
  rows.push_back({"styled video, MiB",
                  [](const Analysed& a) { return static_cast<double>(a.numbers.encoded_bytes) / (1 << 20); },
                  2});
  return rows;
}

std::string number_table(const std::vector<Analysed>& jobs) {
  std::vector<Cell> head{{""}};
  for (const Analysed& job : jobs) head.push_back({job.named->name, true});
  std::vector<std::vector<Cell>> rows;
  const auto text_row = [&](const char* name, const char* key) {
    std::vector<Cell> row{{name}};
    for (const Analysed& job : jobs) row.push_back({job_value(job.named->record, key), true});
    rows.push_back(row);
  };
  text_row("outcome", "outcome");
  text_row("engine", "setting.engine");
  text_row("encoding at", "encode_at");
  for (const Row& row : number_rows()) {
    std::vector<Cell> cells{{row.name}};
    const double first = row.value(jobs.front());
    bool any = false;
    for (const Analysed& job : jobs) {
      const double value = row.value(job);
      any = any || value != 0;
      cells.push_back({concat(fixed(value, row.decimals),
                              &job == &jobs.front() || !row.tell_difference ? "" : difference(value, first)),
                       true});
    }
    if (any) rows.push_back(std::move(cells));
  }
  return html_table(head, rows);
}

// Settings that are not the same in all.
std::string setting_table(const std::vector<Analysed>& jobs) {
  std::vector<std::string> names;
  for (const Analysed& job : jobs) {
    for (const auto& [name, value] : job.named->record.job) {
      if (name.starts_with("setting.") && std::ranges::find(names, name) == names.end())
        names.push_back(name);
    }
  }
  std::vector<Cell> head{{"setting"}};
  for (const Analysed& job : jobs) head.push_back({job.named->name});
  std::vector<std::vector<Cell>> rows;
  for (const std::string& name : names) {
    if (name == "setting.record" || name == "setting.output" || name == "setting.log-dir") continue;
    std::vector<Cell> row{{name.substr(8)}};
    bool differs = false;
    const std::string first = job_value(jobs.front().named->record, name);
    for (const Analysed& job : jobs) {
      row.push_back({job_value(job.named->record, name)});
      differs = differs || row.back().text != first;
    }
    if (differs) rows.push_back(std::move(row));
  }
  return rows.empty() ? "" : html_section("Settings that differ", "", html_table(head, rows));
}

std::string speed_plot(const std::vector<Analysed>& jobs) {
  constexpr std::size_t max_parts = 80;
  double end_s = 0;
  double most = 0;
  std::vector<Rate> rates;
  for (const Analysed& job : jobs) {
    rates.push_back(rate_over_time(job.named->record, job.styled, max_parts));
    end_s = std::max(end_s, rates.back().end_s);
    most = std::max(most, *std::ranges::max_element(rates.back().frames_per_s));
  }
  const TimeUnit unit = time_unit(end_s);
  Plot plot(exact_axis(concat("time since each job's start (", unit.name, ")"), end_s / unit.seconds, 10),
            nice_axis("frames/s", most, 5));
  for (std::size_t i = 0; i < jobs.size() && i < max_lines; ++i) {
    if (!jobs[i].styled.empty())
      plot.steps(rates[i].frames_per_s, rates[i].end_s / unit.seconds, line_css(i));
  }
  return plot.svg("Frames per second over time, of each job");
}

// The share of frames that took no longer than a time: steeper and further left is faster.
std::string image_plot(const std::vector<Analysed>& jobs) {
  constexpr int num_points = 100;
  double most_ms = 0;
  for (const Analysed& job : jobs)
    most_ms = std::max(most_ms, std::min(job.numbers.image.max_ms, 2 * job.numbers.image.p95_ms));
  Plot plot(nice_axis("ms an image, all stages together", most_ms * 1.02, 10),
            nice_axis("% of the frames", 100, 5));
  for (std::size_t i = 0; i < jobs.size() && i < max_lines; ++i) {
    std::vector<double> ms(jobs[i].styled.size());
    std::ranges::transform(jobs[i].styled, ms.begin(),
                           [](const io::FrameRow& row) { return 1e3 * all_stages_s(row); });
    std::ranges::sort(ms);
    std::vector<std::pair<double, double>> points;
    for (int p = 0; p <= num_points && !ms.empty(); ++p) {
      const double at = static_cast<double>(ms.size() - 1) * p / num_points;
      points.emplace_back(ms[static_cast<std::size_t>(at)], 100.0 * p / num_points);
    }
    plot.line(points, line_css(i));
  }
  return plot.svg("Share of frames by time per image, of each job");
}

}  // namespace

std::string comparison_sections(const std::vector<Analysed>& jobs) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (std::size_t i = 0; i < jobs.size() && i < max_lines; ++i)
    entries.emplace_back(line_css(i), jobs[i].named->name);
  const std::string lines = legend(entries);
  const std::string cut = jobs.size() > max_lines ? concat(" Only the first ", max_lines, " are drawn.") : "";
  std::string html =
      html_section("Side by side", "In brackets the difference to the first.", number_table(jobs));
  html += setting_table(jobs);
  if (std::ranges::any_of(jobs, [](const Analysed& job) { return !job.styled.empty(); })) {
    html += html_section("Speed over time", "Styled frames that came back to the root, per second." + cut,
                         lines + speed_plot(jobs));
    html += html_section(
        "Time per image",
        "How much of the frames took no longer than a time: the further left a line, the faster its job." +
            cut,
        lines + image_plot(jobs));
  }
  return html;
}

}  // namespace atelier::planning
