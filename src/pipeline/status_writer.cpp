#include "status_writer.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "atelier/pipeline/protocol.h"
#include "record_builder.h"

namespace atelier::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t num_events = 8;
constexpr std::size_t max_event_text = 300;
constexpr std::chrono::seconds patience(10);

fs::path whole_path(const fs::path& path) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  return (error ? path : whole).lexically_normal();
}

}  // namespace

fs::path status_path(const RunConfig& config) {
  if (config.status == "none" || config.output.empty()) return {};
  return config.status.empty() ? fs::path(config.output.string() + ".status.json") : fs::path(config.status);
}

void check_status_path(const RunConfig& config) {
  const fs::path path = status_path(config);
  if (path.empty()) return;
  const auto refuse = [&](const std::string& why) {
    throw UsageError(concat("the status file cannot be '", path.string(), "'"), why,
                     "Give another name with --status, or --status none");
  };
  for (const auto& [name, other] : {std::pair("input", config.input), std::pair("output", config.output),
                                    std::pair("record", config.record)}) {
    if (!other.empty() && whole_path(other) == whole_path(path)) refuse(concat("that is the ", name));
  }
  if (io::LiveStatusFile(path, {}).is_foreign()) refuse("something else has this name");
}

// What the two threads have in common; it lives as long as either.
struct StatusWriter::Shared {
  Shared(fs::path path, io::ProcessIdentity self)
      : name(path.string()), file(std::move(path), std::move(self)) {}

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return next || ending; });
      if (!next) break;
      const io::LiveStatus status = *std::exchange(next, std::nullopt);
      const bool remove = removing && ending;
      lock.unlock();
      if (remove)
        file.remove();
      else
        write(status);
      lock.lock();
    }
    ended = true;
    changed.notify_all();
  }

  // Until the job has frames under way, its work directory may turn out to be another job's.
  void write(const io::LiveStatus& status) {
    if (!ours && status.state != io::LiveState::running && !file.is_free()) return;
    ours = true;
    const std::string problem = file.write(status);
    if (!problem.empty() && !std::exchange(warned, true))
      log::warning(concat("the status file '", name, "' cannot be written (", problem,
                          "). The job goes on without it"));
  }

  std::string name;
  io::LiveStatusFile file;  // used by the thread alone
  bool ours = false;        // likewise
  bool warned = false;      // likewise
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<io::LiveStatus> next;
  bool ending = false;
  bool removing = false;
  bool ended = false;
};

StatusWriter::StatusWriter(const RunConfig& config, const std::string& launcher, int num_ranks,
                           const RecordBuilder& record, ProgressSink* next)
    : record_(record),
      next_(next),
      shared_(std::make_shared<Shared>(whole_path(status_path(config)), io::this_process())) {
  status_.program_version = build_text();
  status_.input = whole_path(config.input).string();
  status_.output = whole_path(config.output).string();
  status_.launcher = launcher;
  status_.num_ranks = num_ranks;
  status_.interval_s = interval_s;
  status_.started = utc_text(wall_clock_s());
  std::thread([shared = shared_] { shared->work(); }).detach();
}

StatusWriter::~StatusWriter() {
  std::unique_lock lock(shared_->mutex);
  shared_->ending = true;
  shared_->changed.notify_all();
  shared_->changed.wait_for(lock, patience, [&] { return shared_->ended; });
}

void StatusWriter::take(const Progress& progress) {
  status_.frames_done = progress.num_frames_done;
  status_.frames_total = progress.num_frames;
  status_.elapsed_s = record_.now_s();
  status_.frames_per_s = progress.frames_per_s;
  status_.remaining_s = progress.remaining_s;
  status_.workers_ready = progress.num_workers;
  status_.failures = progress.num_failures;
}

void StatusWriter::update(const Progress& progress) {
  if (next_ != nullptr) next_->update(progress);
  const bool begins = status_.state == io::LiveState::starting && progress.num_frames_done > 0;
  if (any_ && !begins && since_write_.seconds_s() < interval_s) return;
  any_ = true;
  since_write_.restart_s();
  if (progress.num_frames_done > 0) status_.state = io::LiveState::running;
  take(progress);
  status_.events = record_.last_events(num_events, max_event_text);
  const std::lock_guard lock(shared_->mutex);
  shared_->next = status_;
  shared_->changed.notify_all();
}

void StatusWriter::finish(const Progress& progress, bool succeeded) {
  if (next_ != nullptr) next_->finish(progress, succeeded);
  if (succeeded) take(progress);
}

void StatusWriter::ended(ExitCode code, const std::string& message) {
  status_.state = code == ExitCode::done          ? io::LiveState::done
                  : code == ExitCode::interrupted ? io::LiveState::interrupted
                                                  : io::LiveState::failed;
  status_.exit_code = static_cast<int>(code);
  status_.message = message;
  status_.elapsed_s = record_.now_s();
  status_.remaining_s.reset();
  status_.events = record_.last_events(num_events, max_event_text);
  const std::lock_guard lock(shared_->mutex);
  shared_->next = status_;
  shared_->ending = true;
  shared_->removing = code == ExitCode::usage;
  shared_->changed.notify_all();
}

}  // namespace atelier::pipeline
