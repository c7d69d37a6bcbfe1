#include "atelier/pipeline/run.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "atelier/base/exception_text.h"
#include "atelier/base/handle.h"
#include "atelier/base/log.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/storage_retry.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "atelier/io/record.h"
#include "atelier/media/muxer.h"
#include "atelier/pipeline/protocol.h"
#include "atelier/pipeline/root.h"
#include "atelier/pipeline/worker.h"
#include "atelier/transport/loopback_communicator.h"
#include "job.h"
#include "outbox.h"
#include "preview.h"
#include "record_builder.h"
#include "status_writer.h"

namespace atelier::pipeline {
namespace {

namespace fs = std::filesystem;

// A worker in a thread of this process, for a root without others.
class InProcessWorker {
 public:
  InProcessWorker(std::unique_ptr<transport::Communicator> communicator, const EngineFactory& make_engine)
      : communicator_(std::move(communicator)), config_{.make_engine = make_engine, .own_process = false} {
    thread_ = std::thread([this] { run_worker(*communicator_, config_); });
  }
  ~InProcessWorker() { thread_.join(); }
  InProcessWorker(const InProcessWorker&) = delete;
  InProcessWorker& operator=(const InProcessWorker&) = delete;

 private:
  std::unique_ptr<transport::Communicator> communicator_;
  WorkerConfig config_;
  std::thread thread_;
};

void write_record_if_wanted(const RunConfig& config, RecordBuilder& record, ExitCode code,
                            const std::string& error) {
  if (config.record.empty()) return;
  const char* outcome = code == ExitCode::done          ? "done"
                        : code == ExitCode::interrupted ? "interrupted"
                                                        : "failed";
  try {
    io::write_record(config.record, record.finish(outcome, error));
  } catch (const std::exception& e) {
    if (code == ExitCode::done) throw;
    log::warning(concat("the record could not be written (", exception_text(e), ")"));
  }
}

void start_log(const RunConfig& config, const Job& job) {
  if (config.log_dir.empty()) return;
  log::configure({.rank = 0, .file = config.log_dir / (job.log_name + "-rank0.log")});
  log::to_file(concat(build_text(), ", job ", job.log_name, ", started ", utc_text(wall_clock_s())));
  for (const auto& [name, value] : config.settings) log::to_file(concat("setting ", name, " = ", value));
}

std::string summary(const Job& job, const RecordBuilder& record) {
  const double seconds_s = record.now_s();
  const std::int64_t restored = record.num_restored_frames();
  const auto styled = static_cast<double>(record.num_frames() - restored);
  const std::string before = restored == 0 ? "" : concat(", ", restored, " of them by an earlier start");
  return concat(job.config.output.string(), ": ", record.num_frames(), " frames", before, " in ",
                fixed(seconds_s, 1), " s (", fixed(styled / std::max(1e-9, seconds_s), 2), " frames/s)");
}

// The one line that says what went wrong, once.
class FailureLine {
 public:
  explicit FailureLine(ProgressSink* progress) : progress_(progress) {}
  void say(const std::string& text) {
    if (std::exchange(said_, true)) return;
    if (progress_ != nullptr) progress_->finish({}, false);
    log::error(text);
  }

 private:
  ProgressSink* progress_;
  bool said_ = false;
};

void run_prepared(Job& job, const RunServices& services, transport::Communicator& communicator,
                  RecordBuilder& record, ProgressSink* progress, FailureLine& failure) {
  bool finished_now = false;
  {
    Root root(job, communicator, record,
              {.alone = services.communicator == nullptr,
               .progress = progress,
               .interrupted = services.interrupted,
               .continued = services.continued,
               .launcher = services.launcher,
               .on_failure = [&](const std::string& text) { failure.say(text); }});
    finished_now = root.run();
  }
  std::error_code error;
  if (!finished_now) {
    log::info(concat("'", job.config.output.string(), "' was finished by an earlier start"));
    if (fs::exists(job.config.record, error)) return;  // of that start
  }
  write_record_if_wanted(job.config, record, ExitCode::done, "");
  if (finished_now) log::info(summary(job, record));
}

// Everything between a good command line and the end; throws Error.
void run_or_throw(const RunConfig& config, const RunServices& services, RecordBuilder& record, bool& started,
                  FailureLine& failure, std::optional<StatusWriter>& status) {
  Job job = prepare_job(config);
  const int num_workers = services.communicator == nullptr ? 1 : services.communicator->size() - 1;
  if (!config.preview_s) job.decoding = plan_decoding(job, num_workers);
  if (!job.decoding.warning.empty()) job.warnings.push_back(job.decoding.warning);
  if (config.preview_s || config.dry_run) {
    config.preview_s
        ? write_preview(job)
        : describe_dry_run(job, services.communicator == nullptr ? 1 : services.communicator->size());
    if (services.communicator != nullptr) dismiss_workers(*services.communicator);
    return;
  }
  if (config.encode == "auto") job.encode_at_workers = num_workers > 1;
  start_log(config, job);
  record.set("launcher", services.launcher);
  record.set("num_ranks",
             std::to_string(services.communicator == nullptr ? 1 : services.communicator->size()));
  record.describe(job);
  for (const std::string& warning : job.warnings) {
    log::warning(warning);
    record.event(0, "warning", warning);
  }
  started = true;
  ProgressSink* progress = services.progress;
  if (!status_path(job.config).empty()) {
    status.emplace(job.config, services.launcher, services.communicator == nullptr ? 1 : num_workers + 1,
                   record, progress);
    progress = &*status;
  }
  if (services.communicator != nullptr) {
    run_prepared(job, services, *services.communicator, record, progress, failure);
    return;
  }
  auto [root_end, worker_end] = transport::make_loopback();
  const InProcessWorker worker(std::move(worker_end), services.make_engine);
  try {
    run_prepared(job, services, *root_end, record, progress, failure);
  } catch (...) {
    dismiss_workers(*root_end);
    throw;
  }
}

}  // namespace

void dismiss_workers(transport::Communicator& communicator) {
  Outbox outbox(communicator);
  for (int rank = 1; rank < communicator.size(); ++rank) outbox.send(rank, MessageKind::stop);
  const Stopwatch watch;
  constexpr double patience_s = 30;
  int num_left = 0;
  while (num_left < communicator.size() - 1) {
    outbox.retire();
    while (const std::optional<transport::Message> message = communicator.poll())
      if (message->header.kind == static_cast<std::int32_t>(MessageKind::goodbye)) ++num_left;
    if (watch.seconds_s() > patience_s) communicator.abort(static_cast<int>(ExitCode::failed));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

ExitCode run_job(const RunConfig& config, const RunServices& services) {
  media::quiet_libraries();
  give_up_reading(false);
  RecordBuilder record;
  bool started = false;
  FailureLine failure(services.progress);
  std::optional<StatusWriter> status;
  ExitCode code = ExitCode::failed;
  std::string text;
  try {
    run_or_throw(config, services, record, started, failure, status);
    if (status) status->ended(ExitCode::done, "");
    log::flush();
    return ExitCode::done;
  } catch (const Error& e) {
    code = e.code();
    text = e.what();
  } catch (const std::exception& e) {
    text = concat("the job failed (", exception_text(e), ")");
  }
  failure.say(text);
  if (started && code != ExitCode::usage) {
    record.event(0, "error", text);
    write_record_if_wanted(config, record, code, text);
  }
  if (status) status->ended(code, text);
  status.reset();
  log::flush();
  if (code == ExitCode::usage && services.communicator != nullptr) dismiss_workers(*services.communicator);
  return code;
}

}  // namespace atelier::pipeline
