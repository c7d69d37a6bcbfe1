#include "analysis.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "atelier/base/text.h"
#include "atelier/schedule/policy.h"

namespace atelier::planning {
namespace {

const io::RankRow* find_rank(const io::JobRecord& record, int rank) {
  const auto it = std::ranges::find(record.ranks, rank, &io::RankRow::rank);
  return it == record.ranks.end() ? nullptr : &*it;
}

int sum_at_workers(const io::JobRecord& record, int io::RankRow::*count) {
  int sum = 0;
  for (const io::RankRow& row : record.ranks) {
    if (row.role != "root") sum += std::max(row.styles() ? 1 : 0, row.*count);
  }
  return sum;
}

int encode_lanes(const io::JobRecord& record) {
  if (encodes_at_workers(record)) return std::max(1, sum_at_workers(record, &io::RankRow::num_encoders));
  const io::RankRow* root = find_rank(record, 0);
  if (root != nullptr && root->num_encoders > 0) return root->num_encoders;
  return std::max(1, std::atoi(job_value(record, "encode_threads").c_str()));
}

int num_workers(const io::JobRecord& record) {
  return static_cast<int>(std::ranges::count_if(record.ranks, &io::RankRow::styles));
}

}  // namespace

int num_helpers(const io::JobRecord& record) {
  return static_cast<int>(std::ranges::count(record.ranks, "encoder", &io::RankRow::role));
}

double all_stages_s(const io::FrameRow& row) {
  double sum_s = 0;
  for (const FrameStage& stage : frame_stages) sum_s += static_cast<double>(row.*stage.seconds);
  return sum_s;
}

Spread spread(std::vector<double> seconds) {
  Spread result;
  if (seconds.empty()) return result;
  std::ranges::sort(seconds);
  for (const double value : seconds) result.total_s += value;
  const auto quantile = [&](double q) {
    return seconds[static_cast<std::size_t>(std::ceil(q * static_cast<double>(seconds.size()))) - 1];
  };
  result.mean_ms = 1e3 * result.total_s / static_cast<double>(seconds.size());
  result.median_ms = 1e3 * quantile(0.5);
  result.p95_ms = 1e3 * quantile(0.95);
  result.max_ms = 1e3 * seconds.back();
  return result;
}

std::vector<io::FrameRow> styled_frames(const io::JobRecord& record) {
  std::vector<io::FrameRow> frames;
  std::ranges::copy_if(record.frames, std::back_inserter(frames),
                       [](const io::FrameRow& row) { return row.done_s > 0; });
  return frames;
}

std::vector<io::FrameRow> timed_frames(const std::vector<io::FrameRow>& styled) {
  std::vector<io::FrameRow> frames;
  std::ranges::copy_if(styled, std::back_inserter(frames), [](const io::FrameRow& row) {
    return row.encode_s > 0 && row.convert_s + row.style_s > 0;
  });
  return frames.empty() ? styled : frames;
}

std::int64_t num_restored_frames(const io::JobRecord& record) {
  std::int64_t sum = 0;
  for (const io::ChunkRow& row : record.chunks) {
    if (row.num_tries == 0) sum += row.end_frame - row.first_frame;
  }
  return sum;
}

bool encodes_at_workers(const io::JobRecord& record) {
  return job_value(record, "encode_at") == "workers";
}

bool decodes_at_workers(const io::JobRecord& record) {
  return job_value(record, "decode_at") == "workers";
}

int num_lanes(const io::JobRecord& record, const FrameStage& stage) {
  if (stage.seconds == &io::FrameRow::encode_s) return encode_lanes(record);
  if (stage.at_workers) return std::max(1, sum_at_workers(record, &io::RankRow::num_threads));
  if (!decodes_at_workers(record)) return 1;  // one reader gives one frame after another
  int lanes = 0;
  for (const io::RankRow& row : record.ranks)
    lanes += row.styles() ? schedule::num_decoders(row.num_threads) : 0;
  return std::max(1, lanes);
}

std::vector<Load> loads(const io::JobRecord& record, const std::vector<io::FrameRow>& styled) {
  if (styled.empty()) return {};
  const double work_s = record.wall_s - record.startup_s;
  const int workers = num_workers(record);
  const bool alone = record.ranks.size() == 1;
  const std::string at_workers = alone          ? "in the one process"
                                 : workers == 1 ? "at the one worker"
                                                : concat("at the ", workers, " workers");
  const int helpers = num_helpers(record);
  const std::string at_encoders =
      helpers == 0 ? at_workers : concat(at_workers, " and ", helpers, helpers == 1 ? " helper" : " helpers");
  const std::string at_root = alone ? "in the one process" : "at the root";
  std::vector<Load> all{{.name = "decoding",
                         .where = decodes_at_workers(record) ? at_workers : at_root,
                         .lanes = num_lanes(record, frame_stages[0])},
                        {.name = "styling", .where = at_workers, .lanes = num_lanes(record, frame_stages[3])},
                        {.name = "encoding",
                         .where = encodes_at_workers(record) ? at_encoders : at_root,
                         .lanes = num_lanes(record, frame_stages[4])}};
  for (const io::FrameRow& row : styled) {
    all[0].busy_s += static_cast<double>(row.decode_s);
    all[1].busy_s += static_cast<double>(row.transfer_s + row.convert_s + row.style_s);
    all[2].busy_s += static_cast<double>(row.encode_s);
  }
  for (Load& load : all) {
    if (load.busy_s <= 0) continue;
    load.limit_frames_per_s = static_cast<double>(styled.size()) * load.lanes / load.busy_s;
    if (work_s > 0) load.use = std::min(1.0, load.busy_s / (load.lanes * work_s));
  }
  return all;
}

KeyNumbers key_numbers(const io::JobRecord& record, const std::vector<io::FrameRow>& styled) {
  KeyNumbers numbers;
  numbers.num_styled = static_cast<std::int64_t>(styled.size());
  numbers.num_restored = num_restored_frames(record);
  const auto count = static_cast<double>(styled.size());
  if (record.wall_s > 0) numbers.frames_per_s = count / record.wall_s;
  if (record.wall_s > record.startup_s)
    numbers.work_frames_per_s = count / (record.wall_s - record.startup_s);
  const std::vector<io::FrameRow> timed = timed_frames(styled);
  std::vector<double> seconds(timed.size());
  std::ranges::transform(timed, seconds.begin(), all_stages_s);
  numbers.image = spread(seconds);
  for (std::size_t s = 0; s < frame_stages.size(); ++s) {
    std::ranges::transform(timed, seconds.begin(), [&](const io::FrameRow& row) {
      return static_cast<double>(row.*frame_stages[s].seconds);
    });
    numbers.stages[s] = spread(seconds);
  }
  numbers.loads = loads(record, styled);
  numbers.num_ranks = static_cast<int>(record.ranks.size());
  numbers.num_workers = num_workers(record);
  std::set<std::string> machines;
  for (const io::RankRow& row : record.ranks) {
    machines.insert(row.host);
    numbers.peak_memory_bytes = std::max(numbers.peak_memory_bytes, row.peak_memory_bytes);
  }
  numbers.num_machines = static_cast<int>(machines.size());
  numbers.num_retries = static_cast<int>(std::ranges::count(record.events, "retry", &io::EventRow::kind));
  for (const io::ChunkRow& row : record.chunks) numbers.encoded_bytes += row.encoded_bytes;
  return numbers;
}

}  // namespace atelier::planning
