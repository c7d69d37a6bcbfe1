#include "atelier/planning/follow.h"

#include <cerrno>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/base/write_error.h"

namespace atelier::planning {
namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 20;

// OUT stands for OUT.status.json, where OUT is a link for that of the file behind it.
std::filesystem::path status_path(io::FileOperations& files, const std::filesystem::path& path) {
  const std::filesystem::path beside = behind_links(path, "the output").string() + ".status.json";
  for (const auto& candidate : {path, beside}) {
    Buffer bytes;
    const int failed = files.read(candidate, max_bytes, bytes);
    if (failed == 0 && (candidate == beside || io::parse_live_status(bytes.bytes()).status)) return candidate;
  }
  return path;
}

std::string process_text(const io::ProcessIdentity& process) {
  return concat("process ", process.pid, " on ", process.host);
}

}  // namespace

StatusFollower::StatusFollower(FollowerConfig config) : config_(std::move(config)) {
  if (!config_.now_s) config_.now_s = [this] { return watch_.seconds_s(); };
  const std::filesystem::path given = config_.path;
  config_.path = status_path(*config_.files, given);
  std::string problem;
  // One that is being written anew may be half there.
  for (int i = 0; i < 4 && !last_; ++i) {
    if (i > 0) config_.files->wait(0.5);
    last_ = read(problem);
  }
  if (!last_)
    throw UsageError(
        concat("'", given.string(), "' is no status of a job"), problem,
        "Give the status file, OUTPUT.status.json unless --status says otherwise, of a job that has begun");
  changed_s_ = readable_s_ = config_.now_s();
}

std::optional<io::LiveStatus> StatusFollower::read(std::string& problem) {
  Buffer bytes;
  if (const int failed = config_.files->read(config_.path, max_bytes, bytes); failed != 0) {
    problem = failed == ENOENT ? "there is no such file" : errno_text(failed);
    return std::nullopt;
  }
  io::ParsedLiveStatus parsed = io::parse_live_status(bytes.bytes());
  problem = parsed.problem;
  return std::move(parsed.status);
}

Followed StatusFollower::lost(std::string why) const {
  return {Followed::Kind::lost, *last_, std::move(why)};
}

Followed StatusFollower::look() {
  const double now_s = config_.now_s();
  const bool here = last_->process.shares_processes_with(config_.self);
  // Before reading: a job may end in between, and then its last word is read.
  const bool runs = here && config_.runs(last_->process);
  std::string problem;
  if (std::optional<io::LiveStatus> status = read(problem)) {
    if (status->sequence != last_->sequence || status->process.pid != last_->process.pid ||
        status->process.start_ticks != last_->process.start_ticks) {
      changed_s_ = now_s;
      last_ = std::move(status);
      readable_s_ = now_s;
      return {io::has_ended(last_->state) ? Followed::Kind::ended : Followed::Kind::at_work, *last_, {}};
    }
    readable_s_ = now_s;
  } else if (now_s - readable_s_ > unreadable_s) {
    return lost(concat("the status file can no longer be read (", problem,
                       "): the job was refused for bad input, or somebody has removed the file"));
  }
  if (io::has_ended(last_->state)) return {Followed::Kind::ended, *last_, {}};
  if (here && !runs && problem.empty())
    return lost(concat("the job was killed: ", process_text(last_->process),
                       " does not run any more. It wrote its last status at ", last_->updated));
  if (!here && now_s - changed_s_ > silence_s)
    return lost(concat("no news for ", fixed(now_s - changed_s_, 0), " s: ", process_text(last_->process),
                       " was killed, or cannot write. Its last status is of ", last_->updated));
  return {Followed::Kind::at_work, *last_, {}};
}

}  // namespace atelier::planning
