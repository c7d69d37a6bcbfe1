#include "atelier/planning/measured_rates.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/planning/layout_results.h"
#include "atelier/schedule/policy.h"

namespace atelier::planning {
namespace {

double number_of(const io::JobRecord& record, const std::string& name) {
  return std::atof(job_value(record, name).c_str());
}

class Mean {
 public:
  void add(double value, double weight = 1) {
    sum_ += value * weight;
    weight_ += weight;
  }
  [[nodiscard]] double value() const { return weight_ > 0 ? sum_ / weight_ : 0; }
  [[nodiscard]] double weight() const { return weight_; }

 private:
  double sum_ = 0;
  double weight_ = 0;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Chunks that this start has made from its first frame to its last. Others have no times, or not all.
std::map<std::int64_t, const io::ChunkRow*> made_chunks(const io::JobRecord& record) {
  std::map<std::int64_t, const io::ChunkRow*> chunks;
  for (const io::ChunkRow& row : record.chunks) {
    if (row.num_tries > 0 && row.encoded_s > 0 && row.end_frame > row.first_frame)
      chunks[row.chunk_index] = &row;
  }
  return chunks;
}

struct WorkerFrames {
  double compute_s = 0;
  double transfer_s = 0;
  std::int64_t num_frames = 0;
  double first_dealt_s = 0;
  double last_done_s = 0;
};

/// The straight line nearest to the points, neither falling nor below zero at zero; level if all points have
/// the same place.
Line nearest_line(const std::vector<std::pair<double, double>>& points) {
  if (points.empty()) return {};
  const auto count = static_cast<double>(points.size());
  double mean_x = 0;
  double mean_y = 0;
  for (const auto& [x, y] : points) {
    mean_x += x / count;
    mean_y += y / count;
  }
  double xx = 0;
  double xy = 0;
  for (const auto& [x, y] : points) {
    xx += (x - mean_x) * (x - mean_x);
    xy += (x - mean_x) * (y - mean_y);
  }
  const double slope = xx > 0 ? std::max(0.0, xy / xx) : 0;
  const double base = mean_y - slope * mean_x;
  if (base < 0) return {0, mean_y / mean_x};
  return {base, slope};
}

class Measurement {
 public:
  void add(const NamedRecord& named) {
    const io::JobRecord& record = named.record;
    const auto chunks = made_chunks(record);
    MeasuredJob job;
    job.name = named.name;
    std::map<std::int64_t, std::vector<double>> encode_s;
    std::map<int, WorkerFrames> workers;
    for (const io::FrameRow& row : record.frames) {
      const auto chunk = chunks.find(row.chunk_index);
      if (chunk == chunks.end()) continue;
      ++job.num_frames;
      decode_.add(row.decode_s);
      encode_s[row.chunk_index].push_back(row.encode_s);
      WorkerFrames& worker = workers[row.rank];
      worker.compute_s += static_cast<double>(row.convert_s) + row.style_s;
      worker.transfer_s += row.transfer_s;
      const double dealt_s = chunk->second->dealt_s;
      worker.first_dealt_s = worker.num_frames == 0 ? dealt_s : std::min(worker.first_dealt_s, dealt_s);
      worker.last_done_s = std::max(worker.last_done_s, row.done_s);
      ++worker.num_frames;
    }
    if (job.num_frames == 0) refuse_empty(named);
    check_same(named);
    add_engine(record, workers);
    add_encoding(encode_s);
    add_times(named, chunks, job);
    job.wall_s = record.wall_s;
    job.layout = layout_of(record);
    job.encode_at_workers = job_value(record, "encode_at") == "workers";
    job.decode_at_workers = job_value(record, "decode_at") == "workers";
    job.chunk_frames = std::max<std::int64_t>(1, std::llround(number_of(record, "chunk_frames")));
    if (job_value(record, "chunk_frames").empty())
      for (const auto& [index, chunk] : chunks)
        job.chunk_frames = std::max(job.chunk_frames, chunk->end_frame - chunk->first_frame);
    add_messages(record, job);
    rates_.jobs.push_back(job);
  }

  MeasuredRates finish() {
    rates_.decode_s = decode_.value();
    rates_.style_s = style_.value();
    rates_.encode_s = encode_.value();
    rates_.chunk_overhead_s = chunk_overhead_.value();
    rates_.message_s = message_s_;
    rates_.startup = nearest_line(startup_);
    rates_.worker_late_s = late_.value();
    rates_.finish = nearest_line(finish_);
    return std::move(rates_);
  }

 private:
  [[noreturn]] static void refuse_empty(const NamedRecord& named) {
    const bool restored = std::ranges::any_of(named.record.chunks, [](const io::ChunkRow& row) {
      return row.num_tries == 0 && row.end_frame > row.first_frame;
    });
    if (restored)
      throw UsageError(concat("record '", named.name, "' measures nothing"),
                       "an earlier start had made all its chunks", "Record a run with --no-resume");
    const std::string outcome = job_value(named.record, "outcome");
    throw UsageError(concat("record '", named.name, "' measures nothing"),
                     concat("no chunk in it was finished",
                            outcome.empty() ? "" : concat("; its job's outcome: ", outcome)),
                     "Record a run that styles some chunks");
  }

  void check_same(const NamedRecord& named) {
    const io::JobRecord& record = named.record;
    if (rates_.jobs.empty()) {
      first_ = &record;
      rates_.engine = job_value(record, "setting.engine");
      rates_.width_px = static_cast<int>(number_of(record, "input.width_px"));
      rates_.height_px = static_cast<int>(number_of(record, "input.height_px"));
      rates_.frame_bytes = static_cast<std::size_t>(std::max(0.0, number_of(record, "input.frame_bytes")));
      if (rates_.frame_bytes == 0) {
        constexpr double bytes_per_pixel = 1.5;  // 4:2:0 with 8 bit
        rates_.frame_bytes =
            static_cast<std::size_t>(std::max(1.0, bytes_per_pixel * rates_.width_px * rates_.height_px));
        rates_.notes.push_back(concat("Record '", named.name, "' does not say how large a frame is; ",
                                      rates_.frame_bytes, " bytes are assumed (4:2:0 with 8 bit)."));
      }
      return;
    }
    for (const char* name : {"setting.engine", "input.width_px", "input.height_px", "input.pixel_format",
                             "encoder", "encoder.options", "setting.precision"}) {
      if (job_value(record, name) == job_value(*first_, name)) continue;
      throw UsageError(concat("records '", rates_.jobs.front().name, "' and '", named.name,
                              "' are of different kinds of jobs"),
                       concat(name, ": ", job_value(*first_, name), " and ", job_value(record, name)),
                       "Give records of the same work on different layouts");
    }
  }

  void add_engine(const io::JobRecord& record, const std::map<int, WorkerFrames>& workers) {
    // The engine `simulated` stands for a GPU, and takes no core.
    rates_.gpu = job_value(record, "worker_kind") == "gpu" || rates_.engine == "simulated";
    rates_.num_cores = std::max(rates_.num_cores, static_cast<int>(number_of(record, "decode_threads")));
    for (const auto& [rank, worker] : workers) {
      const auto num_frames = static_cast<double>(worker.num_frames);
      double lane_s = worker.compute_s + (rates_.gpu ? 0 : worker.transfer_s);
      if (rates_.gpu) {
        // Several frames share the GPU: each waits for the others, and all together take no longer than there
        // was time. Copies run beside.
        const double there_s = worker.last_done_s - worker.first_dealt_s;
        if (there_s > 0) lane_s = std::min(lane_s, there_s);
        lane_s = std::max(lane_s, std::min(worker.transfer_s, there_s));
      }
      style_.add(lane_s / num_frames, num_frames);
    }
  }

  // A chunk's first frame opens its encoder.
  void add_encoding(const std::map<std::int64_t, std::vector<double>>& encode_s) {
    for (const auto& [chunk, seconds] : encode_s) {
      double overhead_s = 0;
      if (seconds.size() > 1) {
        const double usual_s = median({seconds.begin() + 1, seconds.end()});
        overhead_s = std::max(0.0, seconds.front() - usual_s);
        chunk_overhead_.add(overhead_s);
      }
      double sum_s = -overhead_s;
      for (const double s : seconds) sum_s += s;
      const auto num_frames = static_cast<double>(seconds.size());
      encode_.add(sum_s / num_frames, num_frames);
    }
  }

  void add_times(const NamedRecord& named, const std::map<std::int64_t, const io::ChunkRow*>& chunks,
                 MeasuredJob& job) {
    const io::JobRecord& record = named.record;
    const std::string outcome = job_value(record, "outcome");
    const auto num_restored =
        std::ranges::count_if(record.chunks, [](const io::ChunkRow& row) { return row.num_tries == 0; });
    job.whole = outcome == "done" && num_restored == 0;
    if (outcome != "done")
      rates_.notes.push_back(concat("The job of record '", named.name, "' was not done (",
                                    outcome.empty() ? "no outcome" : outcome, "): the ", job.num_frames,
                                    " frames of its finished chunks count, its end does not."));
    if (num_restored > 0)
      rates_.notes.push_back(concat(num_restored, num_restored == 1 ? " chunk" : " chunks", " of record '",
                                    named.name, "' were made by an earlier start and do not count."));
    startup_.emplace_back(layout_of(record).num_workers(), record.startup_s);
    for (const io::RankRow& row : record.ranks)
      if (row.role == "worker") late_.add(std::max(0.0, row.start_s - record.startup_s));
    if (outcome != "done") return;
    double last_encoded_s = 0;
    for (const auto& [index, chunk] : chunks) last_encoded_s = std::max(last_encoded_s, chunk->encoded_s);
    finish_.emplace_back(record.frames.size(), std::max(0.0, record.wall_s - last_encoded_s));
  }

  static Layout layout_of(const io::JobRecord& record) {
    std::map<std::string, int> workers;
    for (const io::RankRow& row : record.ranks)
      if (row.styles()) ++workers[row.host];
    Layout layout{std::max(1, static_cast<int>(workers.size())), 1};
    for (const auto& [host, count] : workers)
      layout.gpus_per_machine = std::max(layout.gpus_per_machine, count);
    return layout;
  }

  // The root's thread also looks for messages while there are none: of several records the one with least of
  // that tells best, and where it had much time for it, copying is all that is known.
  void add_messages(const io::JobRecord& record, const MeasuredJob& job) {
    double message_s = static_cast<double>(rates_.frame_bytes) / default_message_bytes_per_s;
    for (const io::RankRow& row : record.ranks) {
      if (row.role != "root" || row.message_cpu_s <= 0) continue;
      const int num_passes = (job.encode_at_workers ? 0 : 1) + (job.decode_at_workers ? 0 : 1);
      if (num_passes == 0) continue;
      const double measured_s = row.message_cpu_s / static_cast<double>(job.num_frames * num_passes);
      constexpr double busy = 0.5;
      message_s = row.message_cpu_s > busy * record.wall_s ? measured_s : std::min(message_s, measured_s);
    }
    message_s_ = rates_.jobs.empty() ? message_s : std::min(message_s_, message_s);
  }

  MeasuredRates rates_;
  const io::JobRecord* first_ = nullptr;
  Mean decode_, style_, encode_, chunk_overhead_, late_;
  std::vector<std::pair<double, double>> startup_;
  std::vector<std::pair<double, double>> finish_;
  double message_s_ = 0;
};

}  // namespace

MeasuredRates measure_rates(const std::vector<NamedRecord>& records) {
  if (records.empty()) throw UsageError("no record is given", "a prediction needs a measured job");
  Measurement measurement;
  for (const NamedRecord& record : records) measurement.add(record);
  return measurement.finish();
}

JobModel job_model(const MeasuredRates& rates, const ModelRequest& request) {
  const Layout& layout = request.layout;
  const int cores_of_worker = std::max(1, rates.num_cores / layout.gpus_per_machine);
  JobModel model;
  model.num_frames = request.num_frames;
  model.chunk_frames = request.chunk_frames;
  model.frame_bytes = rates.frame_bytes;
  model.startup_s = rates.startup.at(layout.num_workers());
  model.worker_ready_s.assign(static_cast<std::size_t>(layout.num_workers()),
                              model.startup_s + rates.worker_late_s);
  model.worker_ready_s.front() = 0;
  model.decode_at_workers = request.decode_at_workers;
  model.num_decoders = schedule::num_decoders(cores_of_worker);
  model.decode_s = rates.decode_s;
  model.message_s = rates.message_s;
  if (request.network_bytes_per_s > 0)
    model.network_s = static_cast<double>(rates.frame_bytes) / request.network_bytes_per_s;
  model.num_local_workers = layout.gpus_per_machine;
  model.style_s = rates.style_s;
  if (!rates.gpu) {
    model.threads_per_worker = cores_of_worker;
    // More workers than cores take turns.
    model.style_s *= std::max(1.0, static_cast<double>(layout.gpus_per_machine) / rates.num_cores);
  }
  model.encode_at_workers = request.encode_at_workers;
  model.encode_s = rates.encode_s;
  model.num_encoders = schedule::num_encoders(request.encode_at_workers ? cores_of_worker : rates.num_cores);
  model.chunk_overhead_s = rates.chunk_overhead_s;
  model.finish_s = rates.finish.at(static_cast<double>(request.num_frames));
  return model;
}

}  // namespace atelier::planning
