#include "atelier/planning/report.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <vector>

#include "analysis.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "atelier/planning/job_cost.h"
#include "findings.h"
#include "text_file.h"

namespace atelier::planning {
namespace {

std::string left(const std::string& text, std::size_t width) {
  return text.size() >= width ? text : text + std::string(width - text.size(), ' ');
}

std::string right(const std::string& text, std::size_t width) {
  return text.size() >= width ? text : std::string(width - text.size(), ' ') + text;
}

std::string percent(double part, double whole) {
  return whole > 0 ? fixed(100 * part / whole, 0) + " %" : "-";
}

std::string per_second(double count, double seconds_s) {
  return seconds_s > 0 ? fixed(count / seconds_s, 2) : "-";
}

constexpr std::size_t label_width = 12;

std::string line(const std::string& label, const std::string& value) {
  return value.empty() ? "" : left(label, label_width) + value + "\n";
}

// Frames that workers decoded for each one that they used: groups of pictures span chunks.
std::string redundancy(const io::JobRecord& record) {
  const double num_used = std::atof(job_value(record, "decode.frames_used_of_workers").c_str());
  if (num_used <= 0) return {};
  const double num_decoded = std::atof(job_value(record, "decode.frames_decoded_by_workers").c_str());
  return concat("at the workers, ", fixed(num_decoded / num_used, 2), " frames for each one");
}

std::string head(const io::JobRecord& record, std::size_t num_styled) {
  const auto job = [&](const char* name) { return job_value(record, name); };
  std::string text;
  text += line("outcome", job("outcome"));
  text += line("error", job("error"));
  text += line("input", job("input.path"));
  text += line("output", job("setting.output"));
  text += line("engine", job("setting.engine"));
  if (record.start_time_s > 0) text += line("started", utc_text(record.start_time_s));
  text += line("program", job("program_version").empty()
                              ? ""
                              : concat("atelier ", job("program_version"), " (git ", job("git_sha"), ")"));
  text += line("launcher", job("launcher"));
  text += line("decoding", redundancy(record));

  const auto num_frames = static_cast<double>(num_styled);
  const double work_s = record.wall_s - record.startup_s;
  text += line(
      "frames",
      concat(num_styled,
             num_styled == record.frames.size() ? "" : concat(" styled of ", record.frames.size(), " read"),
             " in ", record.chunks.size(), record.chunks.size() == 1 ? " chunk" : " chunks"));
  text += line("wall time", concat(fixed(record.wall_s, 2), " s, of it ", fixed(record.startup_s, 2),
                                   " s until the first frames were dealt"));
  if (num_styled > 0) {
    text += line("speed", concat(per_second(num_frames, record.wall_s), " frames/s, ",
                                 fixed(1e3 * record.wall_s / num_frames, 1), " ms a frame (",
                                 per_second(num_frames, work_s), " frames/s without the start)"));
  }
  return text;
}

std::string stage_part(const io::JobRecord& record, const std::vector<io::FrameRow>& frames) {
  if (frames.empty()) return {};
  const auto row = [](const std::string& name, const Spread& s, const std::string& lanes,
                      const std::string& limit) {
    return left(name, 12) + right(fixed(s.mean_ms, 2), 10) + right(fixed(s.median_ms, 2), 10) +
           right(fixed(s.p95_ms, 2), 10) + right(fixed(s.max_ms, 2), 10) + right(fixed(s.total_s, 2), 11) +
           right(lanes, 9) + right(limit, 12) + "\n";
  };
  std::string text = "\nTime per image, by stage (ms)\n";
  text += left("", 12) + right("mean", 10) + right("median", 10) + right("95 %", 10) + right("longest", 10) +
          right("total s", 11) + right("threads", 9) + right("frames/s", 12) + "\n";

  const FrameStage* slowest = nullptr;
  double slowest_limit = 0;
  double slowest_mean_ms = 0;
  std::vector<double> all(frames.size(), 0);
  for (const FrameStage& stage : frame_stages) {
    std::vector<double> seconds;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      seconds.push_back(frames[i].*stage.seconds);
      all[i] += seconds.back();
    }
    const Spread s = spread(std::move(seconds));
    const int lanes = num_lanes(record, stage);
    // With every thread of the stage busy all the time.
    const double limit = s.mean_ms > 0 ? 1e3 * lanes / s.mean_ms : 0;
    text += row(stage.name, s, std::to_string(lanes), limit > 0 ? fixed(limit, 2) : "-");
    if (limit > 0 && (slowest == nullptr || limit < slowest_limit)) {
      slowest = &stage;
      slowest_limit = limit;
      slowest_mean_ms = s.mean_ms;
    }
  }
  text += row("all stages", spread(std::move(all)), "", "");
  if (slowest != nullptr) {
    const double reached = record.wall_s > 0 ? static_cast<double>(frames.size()) / record.wall_s : 0;
    text += concat("\nSlowest stage: ", slowest->name, " (", fixed(slowest_mean_ms, 1),
                   " ms a frame; at most ", fixed(slowest_limit, 2), " frames/s). The job reached ",
                   percent(reached, slowest_limit), " of that.\n");
  }
  return text;
}

std::string rank_part(const io::JobRecord& record, const std::vector<io::FrameRow>& frames) {
  if (record.ranks.empty()) return {};
  std::map<int, std::vector<double>> style_s;
  for (const io::FrameRow& row : frames) {
    style_s[row.rank].push_back(static_cast<double>(row.transfer_s) + row.convert_s + row.style_s);
  }
  std::string text = "\nRanks\n";
  text += right("rank", 5) + "  " + left("role", 12) + right("frames", 8) + right("frames/s", 9) +
          right("ms/image", 9) + right("threads", 8) + right("busy s", 9) + right("use", 6) +
          right("memory", 10) + "  " + "host, device\n";
  for (const io::RankRow& row : record.ranks) {
    const double there_s = row.end_s - row.start_s;
    const double capacity_s = there_s * std::max(1, row.num_threads);
    const auto found = style_s.find(row.rank);
    const bool works = found != style_s.end();
    const auto num_frames = works ? static_cast<std::int64_t>(found->second.size()) : row.num_frames;
    text +=
        right(std::to_string(row.rank), 5) + "  " + left(row.role, 12) +
        right(std::to_string(num_frames), 8) +
        right(num_frames > 0 ? per_second(static_cast<double>(num_frames), there_s) : "-", 9) +
        right(works ? fixed(spread(found->second).mean_ms, 1) : "-", 9) +
        right(std::to_string(row.num_threads), 8) + right(fixed(row.busy_s, 2), 9) +
        right(row.busy_s > 0 ? percent(row.busy_s, capacity_s) : "-", 6) +
        right(row.peak_memory_bytes > 0 ? human_bytes(static_cast<double>(row.peak_memory_bytes)) : "-", 10) +
        "  " + row.host + (row.host.empty() || row.device.empty() ? "" : ", ") + row.device + "\n";
  }
  return text;
}

std::string event_part(const io::JobRecord& record) {
  if (record.events.empty()) return {};
  std::string text = "\nEvents\n";
  for (const io::EventRow& row : record.events) {
    text += right(fixed(row.time_s, 2), 9) + " s  rank " + left(std::to_string(row.rank), 4) +
            left(row.kind, 9) + " " + row.text + "\n";
  }
  return text;
}

// RFC 4180.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::string text_report(const io::JobRecord& record, const Prices* prices) {
  const std::vector<io::FrameRow> frames = styled_frames(record);
  std::string cost;
  if (prices != nullptr) {
    const JobCost sum = job_cost(record, *prices);
    cost = line("cost", concat(money_text(sum.cost), " ", sum.currency, " for ", sum.machines, ", ",
                               money_text(sum.cost_of_1000_frames), " for 1000 frames"));
  }
  return head(record, frames.size()) + cost + stage_part(record, frames) + rank_part(record, frames) +
         event_part(record);
}

void write_csv(const std::filesystem::path& path, const std::vector<NamedRecord>& records) {
  const bool several = records.size() > 1;
  TextFile file(path);
  std::string head = several ? "record," : "";
  head += "frame_index,pts_ticks,chunk_index,rank,done_s";
  for (const FrameStage& stage : frame_stages) head += concat(',', stage.name, "_s");
  file.put(head + "\n");
  for (const NamedRecord& named : records) {
    const std::string start = several ? csv_field(named.name) + "," : "";
    for (const io::FrameRow& row : named.record.frames) {
      std::string line = concat(start, row.frame_index, ',', row.pts_ticks, ',', row.chunk_index, ',',
                                row.rank, ',', fixed(row.done_s, 6));
      for (const FrameStage& stage : frame_stages)
        line += "," + fixed(static_cast<double>(row.*stage.seconds), 6);
      file.put(line + "\n");
    }
  }
  file.close();
}

}  // namespace atelier::planning
