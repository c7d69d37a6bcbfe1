#include "checkpoints.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "atelier/base/exception_text.h"
#include "atelier/base/file_status.h"
#include "atelier/base/handle.h"
#include "atelier/base/hash.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "atelier/io/work_directory.h"
#include "atelier/media/muxer.h"
#include "atelier/pipeline/protocol.h"

namespace atelier::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr double state_interval_s = 5;

// As it comes back from a state. The same for all ways through links that lead to the folder.
std::string absolute_text(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  if (error) return io::valid_utf8(path.lexically_normal().string());
  const fs::path folder = fs::canonical(absolute.parent_path(), error);
  return io::valid_utf8((error ? absolute.lexically_normal() : folder / absolute.filename()).string());
}

fs::path made(fs::path work_dir) {
  io::make_work_directory(work_dir);
  return work_dir;
}

bool is_of_output(const io::FoundState& found, const RunConfig& config) {
  return found.newest && found.newest->output == absolute_text(config.output);
}

// A job that is done leaves a work directory only where it is to stay, or where it was killed at its very
// end.
bool was_killed_at_its_end(const io::FoundState& found, const RunConfig& config) {
  return is_of_output(found, config) && found.newest->status == io::JobStatus::done &&
         !found.newest->keeps_work;
}

[[noreturn]] void refuse_output(const io::FoundState& found, const RunConfig& config) {
  throw UsageError(concat("output '", config.output.string(), "' exists"),
                   is_of_output(found, config) ? "an earlier start has finished it" : "",
                   "Give --overwrite, or another name");
}

bool is_unfinished(const io::FoundState& found, const RunConfig& config) {
  return is_of_output(found, config) && found.newest->status != io::JobStatus::done;
}

std::string count_of(std::size_t number, const char* what) {
  return concat(number, " ", what, number == 1 ? "" : "s");
}

}  // namespace

std::string new_start_id(const RunConfig& config) {
  const std::string seed = concat(config.output.string(), host_name(), getpid(), fixed(wall_clock_s(), 9));
  return hex64(hash64(std::as_bytes(std::span(seed)))).substr(0, 8);
}

fs::path work_directory(const RunConfig& config) {
  return config.work_dir.empty() ? fs::path(config.output.string() + ".atelier") : config.work_dir;
}

void check_output_is_free(const RunConfig& config) {
  if (config.overwrite || file_status(config.output).kind == FileStatus::Kind::missing) return;
  const io::FoundState found = io::find_state(work_directory(config));
  if (!is_unfinished(found, config) && !was_killed_at_its_end(found, config)) refuse_output(found, config);
}

Checkpoints::Checkpoints(CheckpointsConfig config)
    : run_(*config.run),
      before_writing_(std::move(config.before_writing)),
      work_dir_(made(work_directory(run_))),
      start_id_(std::move(config.start_id)),
      processor_(std::move(config.processor)),
      state_{.program_version = build_text(),
             .start_id = start_id_,
             .host = host_name(),
             .pid = getpid(),
             .launcher = std::move(config.launcher),
             .fingerprint = std::move(config.fingerprint),
             .output = absolute_text(run_.output),
             .keeps_work = run_.keep_work,
             .exit_code = {},
             .message = {},
             .frames_total = config.num_frames,
             .started = utc_text(wall_clock_s()),
             .updated = {}},
      mark_({.work_dir = work_dir_,
             .start_id = start_id_,
             .on_wait =
                 [said = false, give_up = std::move(config.give_up_waiting)](const std::string& other,
                                                                             double) mutable {
                   if (!std::exchange(said, true))
                     log::info(concat("another start may be at work on this job (", other,
                                      "); watching for up to 30 s"));
                   if (give_up) give_up();
                 }}),
      states_(work_dir_, start_id_),
      segments_(work_dir_, state_.fingerprint.hash(), start_id_) {
  check_output();
  if (is_of_output(states_.found(), run_))
    media::remove_leftovers(run_.output, run_.stage_dir, states_.found().newest->start_id);
  if (output_is_finished_) return;
  find();
  write_state();
}

Checkpoints::~Checkpoints() = default;

// Another start may have finished it while this one waited for its end.
void Checkpoints::check_output() {
  if (run_.overwrite || file_status(run_.output).kind == FileStatus::Kind::missing) return;
  const io::FoundState& found = states_.found();
  output_is_finished_ =
      was_killed_at_its_end(found, run_) && found.newest->fingerprint.hash() == state_.fingerprint.hash();
  if (output_is_finished_ || is_unfinished(found, run_)) return;
  remove();
  refuse_output(found, run_);
}

void Checkpoints::find() {
  if (before_writing_) before_writing_();
  for (const std::string& problem : states_.found().passed_over)
    findings_.push_back(concat("passed over ", problem));
  const std::optional<io::JobState>& before = states_.found().newest;
  if (!run_.resume) {
    if (before) findings_.emplace_back("begins anew (--no-resume)");
    return;
  }
  found_ = segments_.find();
  check_processors();
  if (const std::string passed = io::summary(found_.passed_over); !passed.empty())
    findings_.push_back(passed);
  const std::string changes =
      before ? io::differences(before->fingerprint, state_.fingerprint) : std::string();
  if (!changes.empty() && found_.chunks.empty()) findings_.push_back(concat("begins anew: ", changes));
  std::int64_t num_frames = 0;
  for (const auto& [index, found] : found_.chunks) num_frames += found.chunk.num_frames();
  if (found_.chunks.empty()) return;
  findings_.push_back(concat("goes on from an earlier start: ", count_of(found_.chunks.size(), "chunk"), " (",
                             num_frames, " frames) of it in '", work_dir_.string(), "'"));
  state_.chunks_done = static_cast<std::int64_t>(found_.chunks.size());
  state_.frames_done = num_frames;
}

// Machines of one size differ in model: work must not be lost for that, nor be mixed unasked.
void Checkpoints::check_processors() {
  const auto other = std::ranges::find_if(
      found_.chunks, [&](const auto& found) { return found.second.processor.bits != processor_.bits; });
  if (other == found_.chunks.end()) return;
  const std::string& made_on = other->second.processor.name;
  if (!run_.allow_mixed)
    throw UsageError(concat("finished chunks were made on another kind of processor (", made_on,
                            "; this start: ", processor_.name, ")"),
                     "the output would depend on which machine made what",
                     "They are kept: start on such machines again, or give --allow-mixed to go on here, or "
                     "--no-resume to begin anew");
  findings_.push_back(concat("goes on with chunks of another kind of processor (", made_on,
                             "; now: ", processor_.name, "), as --allow-mixed says"));
}

void Checkpoints::write_state() {
  if (before_writing_) before_writing_();
  states_.write(state_);
  since_state_.restart_s();
  dirty_ = false;
}

void Checkpoints::chunk_stored(std::int64_t num_frames) {
  ++state_.chunks_done;
  state_.frames_done += num_frames;
  dirty_ = true;
}

void Checkpoints::tick() {
  if (mark_.renewal_due() && before_writing_) before_writing_();
  if (const std::string problem = mark_.renew(); !problem.empty())
    log::to_file(concat("the owner mark could not be renewed: ", problem));
  if (dirty_ && since_state_.seconds_s() >= state_interval_s) write_state();
}

void Checkpoints::ended(io::JobStatus status, ExitCode code, const std::string& message) {
  state_.status = status;
  state_.exit_code = static_cast<int>(code);
  state_.message = message;
  try {
    write_state();
  } catch (const std::exception& e) {
    log::warning(concat("the job's state could not be written (", exception_text(e), ")"));
  }
}

void Checkpoints::remove() {
  if (run_.keep_work) return;
  const auto which = mark_.others_at_work() ? io::RemoveFiles::of_this_start : io::RemoveFiles::of_all_starts;
  for (const std::string& name : io::remove_work_directory(work_dir_, which, start_id_))
    log::to_file(concat("left in '", work_dir_.string(), "': ", name));
}

}  // namespace atelier::pipeline
