#include "follow_command.h"

#include <chrono>
#include <iostream>
#include <thread>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/planning/follow.h"
#include "progress.h"

namespace atelier::cli {
namespace {

using planning::Followed;

pipeline::Progress progress_of(const io::LiveStatus& status) {
  return {.num_frames_done = status.frames_done,
          .num_frames = status.frames_total,
          .elapsed_s = status.elapsed_s,
          .frames_per_s = status.frames_per_s,
          .remaining_s = status.remaining_s,
          .num_failures = status.failures,
          .num_workers = status.workers_ready};
}

std::string frames_text(const io::LiveStatus& status) {
  return concat(status.frames_done, status.frames_total ? concat(" of ", *status.frames_total) : "",
                " frames after ", human_duration(status.elapsed_s));
}

// What the job has said since the last look.
void tell_news(const io::LiveStatus& status, double& told_until_s) {
  for (const io::EventRow& event : status.events) {
    if (event.time_s <= told_until_s || event.kind == "error") continue;
    log::info(
        concat(human_duration(event.time_s), ", rank ", event.rank, ", ", event.kind, ": ", event.text));
    told_until_s = event.time_s;
  }
}

}  // namespace

int follow_job(const std::string& status_file, const std::string& how) {
  constexpr std::chrono::milliseconds pause(500);
  planning::StatusFollower follower({.path = status_file});
  const auto progress = make_progress(how);
  double told_until_s = -1;
  bool begun = false;
  while (true) {
    const Followed followed = follower.look();
    const io::LiveStatus& status = followed.status;
    if (!std::exchange(begun, true) && followed.kind == Followed::Kind::at_work)
      log::info(concat("follows ", status.output, ", started ", status.started, " on ", status.process.host,
                       ": ", io::state_text(status.state), ", ", frames_text(status)));
    tell_news(status, told_until_s);
    if (followed.kind == Followed::Kind::at_work) {
      if (progress) progress->update(progress_of(status));
      std::this_thread::sleep_for(pause);
      continue;
    }
    if (progress) progress->finish(progress_of(status), status.state == io::LiveState::done);
    if (followed.kind == Followed::Kind::lost) {
      throw JobError(concat("'", status.output, "' is not finished, ", frames_text(status)), followed.why,
                     "The command that started it goes on from its finished chunks");
    }
    std::cout << concat(status.output, ": ", io::state_text(status.state), ", ", frames_text(status), '\n');
    if (!status.message.empty()) std::cout << status.message << '\n';
    return status.exit_code.value_or(status.state == io::LiveState::done ? 0 : 1);
  }
}

}  // namespace atelier::cli
