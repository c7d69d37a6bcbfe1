#include "atelier/pipeline/stage_benchmark.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <ostream>
#include <thread>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/statistics.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "atelier/io/record.h"
#include "atelier/pipeline/protocol.h"
#include "atelier/pipeline/run.h"
#include "atelier/pipeline/worker.h"
#include "atelier/tensor/compute_stream.h"
#include "atelier/tensor/planes_converter.h"
#include "atelier/transport/loopback_communicator.h"
#include "ffmpeg_limit.h"
#include "job.h"
#include "outbox.h"

namespace atelier::pipeline {
namespace {

using transport::Message;

std::vector<FramePlanes> decode(const StageBenchmarkConfig& config) {
  media::VideoReader reader(
      {.path = config.run.input, .height_px = config.run.height_px, .start_s = config.run.start_s});
  std::vector<FramePlanes> frames;
  while (static_cast<int>(frames.size()) < config.num_frames) {
    std::optional<FramePlanes> frame = reader.read();
    if (!frame) break;
    frames.push_back(std::move(*frame));
  }
  return frames;
}

// The same run with its output in the folder; only the ending of the name is kept.
RunConfig into(const TemporaryFolder& folder, RunConfig run) {
  run.output = folder.path() / ("out" + (run.output.empty() ? ".mp4" : run.output.extension().string()));
  return run;
}

class Bench {
 public:
  Bench(const StageBenchmarkConfig& config, Job& job) : config_(config), job_(job), frames_(decode(config)) {
    if (frames_.empty()) throw UsageError(concat("no frame in '", config.run.input.string(), "'"));
  }

  StageResult& measure(const std::string& stage, const std::function<void()>& all_frames) {
    for (int i = 0; i < config_.num_warm_ups; ++i) all_frames();
    StageResult result;
    result.stage = stage;
    for (int i = 0; i < config_.num_repeats; ++i) {
      const Stopwatch watch;
      all_frames();
      result.frames_per_s.push_back(static_cast<double>(frames_.size()) / watch.seconds_s());
    }
    return results_.emplace_back(std::move(result));
  }

  void decoding() {
    const int threads = tensor::num_usable_cores();
    StageResult& result = measure("decode", [&] { (void)decode(config_); });
    result.num_threads = threads;
    result.bytes_per_frame = static_cast<double>(frame_size());
    result.limit = "ffmpeg -benchmark";
    result.limit_frames_per_s = ffmpeg_decode_frames_per_s(config_.run, frames_.size(), threads);
  }

  void computing() {
    models::prepare_compute_thread();
    const bool gpu = config_.run.device != "cpu" && tensor::num_gpus() > 0;
    const tensor::Device device{gpu ? tensor::DeviceKind::cuda : tensor::DeviceKind::cpu, 0};
    const tensor::PlanesConverter converter(job_.input().format, device);
    const auto engine = models::make_engine(job_.engine, device);
    tensor::synchronise_default_stream(device);
    const tensor::ComputeStream stream(device);
    const at::Tensor rgb = converter.to_rgb(frames_[0].planes.bytes());
    const auto bytes = static_cast<double>(frame_size() + rgb.nbytes());
    StageResult& to_tensor = measure("planes_to_tensor", [&] {
      for (const FramePlanes& frame : frames_) (void)converter.to_rgb(frame.planes.bytes());
      stream.synchronise();
    });
    limit_by_copy(to_tensor, bytes);
    // The engine's frames take long: a few of them are enough.
    const std::size_t num_styled = std::min<std::size_t>(frames_.size(), 4);
    StageResult& styling = measure("engine", [&] {
      for (std::size_t i = 0; i < num_styled; ++i) (void)engine->stylise(rgb);
      stream.synchronise();
    });
    for (double& rate : styling.frames_per_s)
      rate *= static_cast<double>(num_styled) / static_cast<double>(frames_.size());
    StageResult& to_planes = measure("tensor_to_planes", [&] {
      for (const FramePlanes& frame : frames_) (void)converter.to_planes(rgb, frame.planes.bytes());
    });
    limit_by_copy(to_planes, bytes);
  }

  void encoding() {
    StageResult& result = measure("encode", [&] {
      media::SegmentEncoder encoder(job_.encoder, 0, frames_[0].info.frame_index);
      for (const FramePlanes& frame : frames_) encoder.write(frame);
      (void)encoder.finish();
    });
    result.num_threads = job_.encoder.num_threads;
    result.bytes_per_frame = static_cast<double>(frame_size());
    result.limit = "ffmpeg -benchmark";
    const TemporaryFolder folder;
    result.limit_frames_per_s = ffmpeg_encode_frames_per_s(frames_, job_.encoder, folder.path());
  }

  // Each frame goes to rank 1 and comes back.
  void transfer(const std::string& stage, transport::Communicator& communicator) {
    StageResult& result = measure(stage, [&] {
      Outbox outbox(communicator);
      std::size_t num_sent = 0;
      std::size_t num_back = 0;
      constexpr std::size_t max_under_way = 8;
      while (num_back < frames_.size()) {
        outbox.retire();
        if (num_sent < frames_.size() && num_sent < num_back + max_under_way) {
          outbox.send(1, MessageKind::frame, {}, frames_[num_sent].planes.clone());
          ++num_sent;
        }
        while (communicator.poll()) ++num_back;
      }
      outbox.drain();
    });
    limit_by_copy(result, 2 * static_cast<double>(frame_size()));
  }

  void whole_job(const RunServices& services) {
    const TemporaryFolder folder;
    RunConfig run = into(folder, config_.run);
    run.record = folder.path() / "record.h5";
    run.progress = "none";
    if (run_job(run, services) != ExitCode::done)
      throw JobError("the whole job failed", "its message stands above");
    const io::JobRecord record = io::read_record(run.record);
    StageResult result;
    result.stage = "whole_job";
    result.frames_per_s = {static_cast<double>(record.frames.size()) / record.wall_s};
    result.num_threads = 0;
    double engine_threads = 0;
    for (const io::RankRow& rank : record.ranks) {
      engine_threads += rank.num_threads;
      result.num_threads += rank.num_threads;
    }
    for (const StageResult& stage : results_) {
      const bool styling = stage.stage == "engine";
      const double rate = stage.median_frames_per_s() * (styling ? std::max(1.0, engine_threads) : 1);
      if (result.limit.empty() || rate < result.limit_frames_per_s) {
        result.limit_frames_per_s = rate;
        result.limit = styling ? concat("engine x ", engine_threads, " threads") : stage.stage;
      }
    }
    results_.push_back(std::move(result));
  }

  [[nodiscard]] std::vector<StageResult> take_results() { return std::move(results_); }

 private:
  [[nodiscard]] std::size_t frame_size() const { return frame_bytes(job_.input().format); }

  void limit_by_copy(StageResult& result, double bytes) {
    result.bytes_per_frame = bytes;
    result.limit = "memcpy of as many bytes";
    const auto half = static_cast<std::size_t>(bytes / 2);  // a copy reads as much as it writes
    Buffer from(half);
    Buffer to(half);
    std::memset(from.data(), 1, half);
    std::memset(to.data(), 2, half);
    constexpr int num_copies = 50;
    const Stopwatch watch;
    for (int i = 0; i < num_copies; ++i) {
      std::memcpy(to.data(), from.data(), half);
      from.data()[0] = to.data()[half - 1];
    }
    result.limit_frames_per_s = num_copies / watch.seconds_s();
  }

  const StageBenchmarkConfig& config_;
  Job& job_;
  std::vector<FramePlanes> frames_;
  std::vector<StageResult> results_;
};

// Waits for the next message; spins while messages come.
Message receive(transport::Communicator& communicator, Outbox& outbox, Idle& idle) {
  while (true) {
    outbox.retire();
    if (std::optional<Message> message = communicator.poll()) {
      idle.wait_unless(true);
      return std::move(*message);
    }
    idle.wait_unless(communicator.receiving());
  }
}

// Sends every frame back until it is told to stop.
void run_echo(transport::Communicator& communicator) {
  Outbox outbox(communicator);
  Idle idle;
  while (true) {
    Message message = receive(communicator, outbox, idle);
    if (message.header.kind == static_cast<std::int32_t>(MessageKind::stop)) break;
    outbox.send(message.from, MessageKind::frame, message.header, std::move(message.payload));
  }
  outbox.send(0, MessageKind::goodbye);
  outbox.drain();
}

}  // namespace

double StageResult::median_frames_per_s() const {
  return median(frames_per_s);
}

std::vector<StageResult> benchmark_stages(const StageBenchmarkConfig& config,
                                          transport::Communicator* communicator) {
  const TemporaryFolder folder;
  Job job = prepare_job(into(folder, config.run));
  Bench bench(config, job);
  bench.decoding();
  bench.computing();
  bench.encoding();
  {
    auto [root, worker] = transport::make_loopback();
    std::thread echo([end = worker.get()] { run_echo(*end); });
    bench.transfer("transfer_loopback", *root);
    dismiss_workers(*root);
    echo.join();
  }
  if (communicator != nullptr) {
    bench.transfer("transfer_mpi", *communicator);
    dismiss_workers(*communicator);
    // Only now, when every goodbye has been read, may they say hello as real workers.
    Outbox outbox(*communicator);
    for (int rank = 1; rank < communicator->size(); ++rank) outbox.send(rank, MessageKind::chunk_begin);
    outbox.drain();
  }
  bench.whole_job({.communicator = communicator});
  return bench.take_results();
}

void run_stage_benchmark_worker(transport::Communicator& communicator) {
  run_echo(communicator);
  {
    Outbox outbox(communicator);
    Idle idle;
    (void)receive(communicator, outbox, idle);
  }
  run_worker(communicator);
}

void write_csv(std::ostream& out, const std::vector<StageResult>& results, const StageBenchmarkConfig& config,
               int num_ranks) {
  const bool gpu = config.run.device != "cpu" && tensor::num_gpus() > 0;
  const std::string device =
      tensor::device_name({gpu ? tensor::DeviceKind::cuda : tensor::DeviceKind::cpu, 0});
  out << "stage,median_frames_per_s,min_frames_per_s,max_frames_per_s,median_ms_per_frame,mib_per_s,limit,"
         "limit_frames_per_s,share_of_limit,threads,repeats,warm_ups,frames,ranks,engine,device,git_sha,"
         "utc\n";
  for (const StageResult& r : results) {
    const double median = r.median_frames_per_s();
    const auto [min, max] = std::minmax_element(r.frames_per_s.begin(), r.frames_per_s.end());
    out << r.stage << ',' << fixed(median, 3) << ',' << fixed(*min, 3) << ',' << fixed(*max, 3) << ','
        << fixed(1e3 / median, 3) << ',';
    if (r.bytes_per_frame > 0) out << fixed(median * r.bytes_per_frame / (1 << 20), 1);
    out << ',' << r.limit << ',';
    if (r.limit_frames_per_s > 0)
      out << fixed(r.limit_frames_per_s, 3) << ',' << fixed(median / r.limit_frames_per_s, 3);
    else
      out << ',';
    out << ',' << r.num_threads << ',' << r.frames_per_s.size() << ',' << config.num_warm_ups << ','
        << config.num_frames << ',' << num_ranks << ',' << config.run.engine << ",\"" << device << "\","
        << git_sha() << ',' << utc_text(wall_clock_s()) << '\n';
  }
}

}  // namespace atelier::pipeline
