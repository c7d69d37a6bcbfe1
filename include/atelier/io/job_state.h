#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "atelier/base/buffer.h"
#include "atelier/io/fingerprint.h"

namespace atelier::io {

enum class JobStatus { running, interrupted, failed, done };

/// "running", "interrupted" …
const char* status_text(JobStatus status);

/// What a start of a job says about itself, for the next start, operators and launchers. Texts that are not
/// UTF-8 lose what is not.
struct JobState {
  std::string program_version;
  std::string start_id;
  std::string host;
  std::int64_t pid = 0;
  std::string launcher;
  Fingerprint fingerprint;
  std::string output;
  JobStatus status = JobStatus::running;
  bool keeps_work = false;       ///< the work directory is to stay when the job is done
  std::optional<int> exit_code;  ///< 0 to 255; not while it runs
  std::string message;           ///< the line that the job ended with
  std::int64_t chunks_done = 0;
  std::int64_t frames_done = 0;
  std::optional<std::int64_t> frames_total;  ///< where it is known
  std::string started;                       ///< UTC, as utc_text gives it
  std::string updated;                       ///< likewise; set by StateStore::write
  std::int64_t sequence = 0;                 ///< likewise; the newest state has the highest
};

struct ParsedState {
  std::optional<JobState> state;
  std::string problem;  ///< a clause, where there is none
};

/// Indented JSON with the hash of all text before it as last member; docs/work-directory.md lists the
/// members.
Buffer serialise_state(const JobState& state);
/// Total: any bytes give a state, or the problem: cut, changed, of another version of the format.
ParsedState parse_state(std::span<const std::byte> bytes);

}  // namespace atelier::io
