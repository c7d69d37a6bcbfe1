#include "atelier/io/job_state.h"
#include "atelier/io/live_status.h"
#include "owner_mark_file.h"
#include "seeds.h"

namespace atelier::fuzz {
namespace {

/// Without the last member: the fuzzer adds one with the right hash.
std::string body_of(const Buffer& file) {
  const std::string text = text_of(file);
  return text.substr(0, text.rfind(",\n"));
}

io::JobState example_state() {
  io::JobState state;
  state.program_version = "0.1.0";
  state.start_id = "start1";
  state.host = "machine-7";
  state.pid = 4711;
  state.fingerprint.add("--crf", "18");
  state.output = "out.mkv";
  state.status = io::JobStatus::interrupted;
  state.exit_code = 75;
  state.frames_total = 1000;
  state.started = "2026-01-31T12:34:56Z";
  state.updated = state.started;
  state.sequence = 9;
  return state;
}

void write_job_states(const Seeds& seeds) {
  io::JobState state = example_state();
  const Buffer whole = io::serialise_state(state);
  seeds.write("whole", whole.bytes());
  const std::string text = text_of(whole);
  seeds.write("hash_wrong", replaced(text, "machine-7", "machine-8"));
  seeds.write("cut", text.substr(0, text.size() / 2));
  const std::string body = body_of(whole);
  seeds.write("body", body);
  seeds.write("newer", replaced(body, "\"format_version\": 1", "\"format_version\": 2"));
  seeds.write("no_format", replaced(body, "\"format\"", "\"former\""));
  seeds.write("version_text", replaced(body, "\"format_version\": 1", "\"format_version\": \"1\""));
  seeds.write("no_object", std::string("[1"));
  seeds.write("status_unknown", replaced(body, "interrupted", "paused"));
  seeds.write("exit_code_large", replaced(body, "\"exit_code\": 75", "\"exit_code\": 256"));
  seeds.write("count_negative", replaced(body, "\"sequence\": 9", "\"sequence\": -9"));
  seeds.write("flag_number", replaced(body, "\"keeps_work\": false", "\"keeps_work\": 0"));
  seeds.write("settings_no_object", replaced(body, "{\n    \"--crf\": \"18\"\n  }", "[]"));
  seeds.write("setting_no_text", replaced(body, "\"18\"", "18"));
  seeds.write("setting_changed", replaced(body, "\"18\"", "\"19\""));
  seeds.write("settings_nested", replaced(body, "\"18\"", std::string(2000, '[')));
  using Status = io::JobStatus;
  for (const Status status : {Status::running, Status::failed, Status::done}) {
    state.status = status;
    seeds.write(io::status_text(status), body_of(io::serialise_state(state)));
  }
  state.exit_code.reset();
  state.frames_total.reset();
  seeds.write("nulls", body_of(io::serialise_state(state)));
}

void write_live_status(const Seeds& seeds) {
  io::LiveStatus status;
  status.state = io::LiveState::running;
  status.frames_total = 5;
  status.events = {{1.5, 2, "retry", "a sentence"}};
  const std::string body = body_of(io::serialise_live_status(status));
  seeds.write("live", body);
  seeds.write("live_state_unknown", replaced(body, "\"running\"", "\"paused\""));
  seeds.write("live_rate_negative", replaced(body, "\"frames_per_s\": ", "\"frames_per_s\": -1"));
  seeds.write("live_ranks_large", replaced(body, "\"num_ranks\": ", "\"num_ranks\": 300000000"));
  seeds.write("live_events_no_list", replaced(body, "\"events\": [", "\"events\": 1, \"more\": ["));
  seeds.write("live_event_no_object", replaced(body, "\"events\": [", "\"events\": [1,"));
  status.exit_code = 1;
  status.remaining_s = 2.5;
  status.state = io::LiveState::failed;
  const std::string ended = body_of(io::serialise_live_status(status));
  seeds.write("live_ended", ended);
  seeds.write("live_exit_code_large", replaced(ended, "\"exit_code\": 1", "\"exit_code\": 1000"));
}

void write_marks(const Seeds& seeds) {
  const io::StoredMark mark{"start1", 3, false, {"machine-7", "boot", "pid:[1]", 4711, 99}};
  const Buffer whole = io::serialise_mark(mark);
  seeds.write("mark_whole", whole.bytes());
  const std::string body = body_of(whole);
  seeds.write("mark", body);
  seeds.write("mark_running", replaced(body, "starting", "running"));
  seeds.write("mark_without_pid", replaced(body, "\"pid\"", "\"pit\""));
}

}  // namespace

void write_state_seeds(const Seeds& seeds) {
  write_job_states(seeds);
  write_live_status(seeds);
  write_marks(seeds);
  seeds.write("name_state", std::string("state-start1-00000009.json"));
  seeds.write("name_owner", std::string("owner-start1-00000009.json"));
  seeds.write("name_without_start", std::string("owner--00000009.json"));
  seeds.write("name_short", std::string("owner-start1-9.json"));
  seeds.write("name_cut", std::string("owner.json"));
  seeds.write("name_undivided", std::string("owner-start1.json"));
}

}  // namespace atelier::fuzz
