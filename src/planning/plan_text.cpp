#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include "atelier/base/text.h"
#include "atelier/planning/plan.h"

namespace atelier::planning {
namespace {

std::string left(const std::string& text, std::size_t width) {
  return text.size() >= width ? text : text + std::string(width - text.size(), ' ');
}

std::string right(const std::string& text, std::size_t width) {
  return text.size() >= width ? " " + text : std::string(width - text.size(), ' ') + text;
}

std::string percent(double share) {
  return fixed(100 * share, 0) + " %";
}

/// "12.3 s" below two minutes, else "1:02:03".
std::string duration(double seconds_s) {
  constexpr double short_s = 120;
  return seconds_s < short_s ? fixed(seconds_s, 1) + " s" : human_duration(seconds_s);
}

std::string money(const Plan& plan, double amount) {
  return concat(fixed(amount, amount < 1 ? 4 : 2), " ", plan.prices.currency);
}

std::string count(std::int64_t number, const char* one, const char* many) {
  return concat(number, " ", number == 1 ? one : many);
}

std::string measured_part(const Plan& plan) {
  const MeasuredRates& rates = plan.rates;
  const auto ms = [](double seconds_s, int decimals) { return fixed(seconds_s * 1e3, decimals); };
  const int num_workers = plan.layouts[plan.chosen].layout.num_workers();
  const auto num_frames = static_cast<double>(plan.request.num_frames);
  std::string text = concat("Measured: engine ", rates.engine.empty() ? "unknown" : rates.engine, ", ",
                            rates.width_px, "x", rates.height_px, "\n");
  text += concat("  a frame: decode ", ms(rates.decode_s, 2), " ms, message ", ms(rates.message_s, 2),
                 " ms, style ", ms(rates.style_s, 2), " ms, encode ", ms(rates.encode_s, 2),
                 " ms; a chunk: ", ms(rates.chunk_overhead_s, 1), " ms\n");
  text += concat("  start ", fixed(rates.startup.at(num_workers), 2), " s, end ",
                 fixed(rates.finish.at(num_frames), 2), " s\n");
  for (const JobCheck& check : plan.checks) {
    text += concat("  ", check.job.name, ": ", check.job.layout.name(), ", ", check.job.num_frames,
                   " frames took ", fixed(check.job.wall_s, 2),
                   " s; predicted from these rates: ", fixed(check.predicted_s, 2), " s");
    if (check.job.wall_s > 0) {
      const double off = check.predicted_s / check.job.wall_s - 1;
      text += concat(" (", off < 0 ? "" : "+", fixed(100 * off, 1), " %)");
    }
    text += "\n";
  }
  for (const std::string& note : rates.notes) text += concat("  ", note, "\n");
  return text;
}

std::string layout_table(const Plan& plan) {
  std::string text = concat("\n", count(plan.request.num_frames, "frame", "frames"), ", chunks of ",
                            plan.request.chunk_frames, "; prices of ", plan.prices.source, "; cold start ",
                            duration(plan.prices.cold_start_s), "\n");
  const auto add_row = [&](const std::vector<std::string>& cells) {
    constexpr std::array<std::size_t, 7> widths{8, 8, 9, 9, 10, 11, 12};
    std::string line = left(cells[0], widths[0]);
    for (std::size_t i = 1; i < widths.size(); ++i) line += right(cells[i], widths[i]);
    line += "  " + left(cells[7], 19) + cells[8];
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_row({"layout", "encode", "job", "total", "frames/s", plan.prices.currency, "efficiency", "waits for",
           plan.request.deadline_s ? "deadline" : ""});
  for (const LayoutPlan& row : plan.layouts) {
    const std::string deadline = row.meets_deadline ? "met" : "missed";
    add_row({row.layout.name(), row.encode_at_workers ? "workers" : "root", duration(row.job_s),
             duration(row.total_s), fixed(row.frames_per_s, 1), fixed(row.cost, row.cost < 1 ? 4 : 2),
             percent(row.efficiency), concat(row.limit, " ", percent(row.limit_use)),
             plan.request.deadline_s ? deadline : ""});
  }
  return text;
}

/// Why more workers would not help; empty if they may.
std::string firm_limit(const Plan& plan, const LayoutPlan& row) {
  const double deadline_s = *plan.request.deadline_s;
  const double before_s = row.cold_start_s + plan.rates.startup.at(row.layout.num_workers());
  if (before_s >= deadline_s) return " The start alone takes longer.";
  for (const StageUse& stage : row.stages) {
    // With all its lanes busy, whatever the others do.
    const double needed_s = stage.busy_s / stage.num_lanes;
    if (stage.name == "style" || (stage.name == "decode" && stage.num_lanes > 1) ||
        before_s + needed_s <= deadline_s)
      continue;
    const std::string alone = concat(" ", stage.name, " alone takes ", duration(needed_s), " at the root");
    if (stage.name != "encode") return concat(" No number of workers can:", alone, ".");
    if (!row.encode_at_workers)
      return concat(" More workers would not help:", alone, ". Encode at the workers.");
  }
  return {};
}

std::string choice_part(const Plan& plan) {
  const LayoutPlan& chosen = plan.layouts[plan.chosen];
  if (!plan.request.deadline_s) {
    const auto fastest = std::ranges::min_element(plan.layouts, {}, &LayoutPlan::total_s);
    std::string text = concat("\nThe cheapest layout is ", chosen.layout.name(), ": ",
                              money(plan, chosen.cost), " in ", duration(chosen.total_s), ".");
    if (fastest->layout != chosen.layout)
      text += concat(" The fastest is ", fastest->layout.name(), ": ", duration(fastest->total_s), " for ",
                     money(plan, fastest->cost), ".");
    return text + "\n";
  }
  const std::string deadline = duration(*plan.request.deadline_s);
  if (plan.deadline_met)
    return concat("\nThe cheapest layout that meets the deadline of ", deadline, " is ", chosen.layout.name(),
                  ": ", money(plan, chosen.cost), " in ", duration(chosen.total_s), ".\n");
  return concat("\nNo layout meets the deadline of ", deadline, ": the fastest, ", chosen.layout.name(),
                ", takes ", duration(chosen.total_s), " and waits for ", chosen.limit, " (",
                percent(chosen.limit_use), " of the job).", firm_limit(plan, chosen), "\n");
}

std::string chunk_part(const Plan& plan) {
  const LayoutPlan& chosen = plan.layouts[plan.chosen];
  const ChunkPlan& best = plan.chunk_lengths[plan.best_chunk_length];
  const bool evicted = plan.evictions_per_h > 0;
  std::string text = concat("\nChunk length on ", chosen.layout.name(), ", at ",
                            fixed(plan.evictions_per_h, 3), " evictions an hour of a machine");
  if (evicted) text += concat(", each of which costs ", duration(plan.restart_s), " to start again");
  text += plan.on_spot ? ", at the spot price\n" : "\n";
  text += left("  frames", 10) + right("job", 10) + right("lost each", 11) + right("expected", 10) +
          right(plan.prices.currency, 11) + "\n";
  for (const ChunkPlan& row : plan.chunk_lengths) {
    text += left(concat("  ", row.chunk_frames), 10) + right(duration(row.job_s), 10) +
            right(fixed(row.lost_s, 1) + " s", 11) +
            right(row.cost ? duration(row.expected_s) : "never", 10) +
            right(row.cost ? fixed(*row.cost, *row.cost < 1 ? 4 : 2) : "-", 11) + "\n";
  }
  if (!best.cost) {
    text += concat(
        "At this rate the job would never end: machines are taken away faster than it gets on. "
        "Take fewer machines or ones that stay.\n");
    return text;
  }
  const auto planned =
      std::ranges::find(plan.chunk_lengths, plan.request.chunk_frames, &ChunkPlan::chunk_frames);
  text += concat("Chunks of ", best.chunk_frames,
                 evicted ? " frames cost least" : " frames make the shortest job");
  if (planned->chunk_frames == best.chunk_frames)
    text += ": no other length saves 0.1 %.";
  else if (planned->cost && best.expected_s > 0)
    text += concat("; the planned ", planned->chunk_frames, " take ",
                   fixed(100 * (planned->expected_s / best.expected_s - 1), 1), " % longer.");
  else
    text += ".";
  text += concat(" Each chunk costs its encoder ", fixed(plan.rates.chunk_overhead_s * 1e3, 1), " ms.");
  text += "\n";
  if (plan.on_spot && planned->cost) {
    text += concat("On spot machines ", chosen.layout.name(), " is expected to cost ",
                   money(plan, *planned->cost), " and to take ", duration(planned->expected_s),
                   ", instead of ", money(plan, chosen.cost), " and ", duration(chosen.total_s), ".\n");
  }
  return text;
}

std::string gap_part(const Plan& plan) {
  const LayoutPlan& chosen = plan.layouts[plan.chosen];
  if (plan.prices.cold_start_s <= 0)
    return "\nMachines start at once (cold_start_s is 0): none need be kept between jobs.\n";
  const std::string saved = concat("A warm start saves ", duration(plan.prices.cold_start_s), " and ",
                                   money(plan, plan.start_anew_cost));
  if (plan.idle_cost_per_h <= 0) return concat("\n", saved, "; idle machines cost nothing: keep them.\n");
  const double gap_s = plan.start_anew_cost / plan.idle_cost_per_h * 3600;
  return concat("\nKeep the machines of ", chosen.layout.name(), " warm if the next job comes within ",
                duration(gap_s), ", else let them go. ", saved, "; waiting costs ",
                money(plan, plan.idle_cost_per_h), " an hour.\n");
}

}  // namespace

std::string text_plan(const Plan& plan) {
  return measured_part(plan) + layout_table(plan) + choice_part(plan) + chunk_part(plan) + gap_part(plan);
}

std::string csv_plan(const Plan& plan) {
  std::string csv =
      "layout,machines,gpus_per_machine,encode,frames,chunk_frames,cold_start_s,job_s,total_s,frames_per_s,"
      "cost,"
      "currency,efficiency,limit,limit_use,deadline_s,meets_deadline";
  for (const StageUse& stage : plan.layouts.front().stages) {
    std::string name = stage.name;
    std::ranges::replace(name, ' ', '_');
    csv += concat(',', name, "_use");
  }
  csv += '\n';
  for (const LayoutPlan& row : plan.layouts) {
    csv += concat(row.layout.name(), ',', row.layout.num_machines, ',', row.layout.gpus_per_machine, ',',
                  row.encode_at_workers ? "workers" : "root", ',', plan.request.num_frames, ',',
                  plan.request.chunk_frames, ',', fixed(row.cold_start_s, 3), ',', fixed(row.job_s, 3), ',',
                  fixed(row.total_s, 3), ',', fixed(row.frames_per_s, 3), ',', fixed(row.cost, 6), ',',
                  plan.prices.currency, ',', fixed(row.efficiency, 4), ',', row.limit, ',',
                  fixed(row.limit_use, 4), ',',
                  plan.request.deadline_s ? fixed(*plan.request.deadline_s, 3) : "", ',',
                  plan.request.deadline_s ? (row.meets_deadline ? "yes" : "no") : "");
    for (const StageUse& stage : row.stages)
      csv += concat(',', fixed(row.job_s > 0 ? stage.busy_s / stage.num_lanes / row.job_s : 0, 4));
    csv += '\n';
  }
  return csv;
}

}  // namespace atelier::planning
