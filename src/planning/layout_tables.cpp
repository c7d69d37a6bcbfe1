#include <algorithm>

#include "atelier/base/text.h"
#include "atelier/planning/layout_results.h"

namespace atelier::planning {
namespace {

// Text that CSV cannot mistake.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string cell(const std::string& text) {
  return concat(' ', text, " |");
}

std::string cost_text(const std::optional<double>& cost, int decimals) {
  return cost ? fixed(*cost, decimals) : "";
}

}  // namespace

std::string layouts_csv(const std::vector<LayoutRun>& runs, const LayoutContext& context) {
  std::string csv =
      "scaling,layout,machines,gpus_per_machine,gpus,chunk_frames,repeat,frames,process_s,startup_s,frames_"
      "per_s,"
      "bytes_moved,bytes_between_machines,root_cpu_ms_per_frame,frames_lost_per_kill,cost_per_1000_frames,"
      "currency,"
      "launcher,device,program,utc\n";
  for (const LayoutRun& run : runs) {
    const LayoutSettings& s = run.settings;
    csv += concat(scaling_name(s.scaling), ',', s.layout.name(), ',', s.layout.num_machines, ',',
                  s.layout.gpus_per_machine, ',', s.layout.num_workers(), ',', s.chunk_frames, ',',
                  run.repeat, ',', run.num_frames, ',', fixed(run.process_s, 3), ',', fixed(run.startup_s, 3),
                  ',', fixed(run.frames_per_s, 3), ',', run.bytes_moved, ',', run.bytes_between_machines, ',',
                  fixed(run.root_cpu_ms_per_frame, 4), ',', fixed(run.frames_lost_per_kill, 1), ',',
                  cost_text(run.cost_per_1000_frames, 6), ',',
                  run.cost_per_1000_frames ? context.currency : "", ',', context.launcher, ',',
                  quoted(run.device), ',', quoted(context.program), ',', context.utc, '\n');
  }
  return csv;
}

std::string layouts_markdown(const std::vector<LayoutSummary>& summaries, const LayoutContext& context) {
  const bool costs = std::ranges::any_of(
      summaries, [](const LayoutSummary& s) { return s.median.cost_per_1000_frames.has_value(); });
  std::string text = concat(context.program, ", ", context.utc, ", started by ", context.launcher,
                            ".\n\n```\n", context.command, "\n```\n\n");
  text +=
      "| scaling | layout | GPUs | frames a chunk | frames | frames/s (least to most) | efficiency | "
      "start-up s | "
      "between machines | root CPU ms a frame | frames lost per kill |";
  if (costs) text += cell(context.currency + " for 1000 frames");
  text += "\n|---|---|---|---|---|---|---|---|---|---|---|";
  if (costs) text += "---|";
  text += '\n';
  for (const LayoutSummary& summary : summaries) {
    const LayoutRun& run = summary.median;
    const LayoutSettings& s = run.settings;
    std::string rate = fixed(run.frames_per_s, 1);
    if (summary.num_runs > 1)
      rate +=
          concat(" (", fixed(summary.min_frames_per_s, 1), " to ", fixed(summary.max_frames_per_s, 1), ")");
    text += "|";
    for (const std::string& value :
         {scaling_name(s.scaling), s.layout.name(), std::to_string(s.layout.num_workers()),
          std::to_string(s.chunk_frames), std::to_string(run.num_frames), rate, fixed(summary.efficiency, 3),
          fixed(run.startup_s, 2), human_bytes(static_cast<double>(run.bytes_between_machines)),
          fixed(run.root_cpu_ms_per_frame, 3), fixed(run.frames_lost_per_kill, 1)})
      text += cell(value);
    if (costs) text += cell(cost_text(run.cost_per_1000_frames, 4));
    text += '\n';
  }
  text +=
      "\nMedians of the runs. Frames/s count from the first chunk dealt to the video finished; start-up is "
      "the rest of "
      "the command's time. Efficiency is frames/s a GPU against the smallest layout. Root CPU is that of the "
      "thread "
      "that deals and collects. Frames lost: styled work that a kill at a random moment undoes.\n";
  return text;
}

}  // namespace atelier::planning
