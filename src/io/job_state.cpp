#include "atelier/io/job_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "sealed_json.h"

namespace atelier::io {
namespace {

using nlohmann::ordered_json;

constexpr const char* format = "atelier state";
constexpr int format_version = 1;
constexpr std::int64_t max_exit_code = 255;
constexpr std::array statuses{JobStatus::running, JobStatus::interrupted, JobStatus::failed, JobStatus::done};

JobStatus status_member(const ordered_json& object) {
  const std::string text = text_member(object, "status");
  const auto found = std::ranges::find(statuses, text, status_text);
  if (found == statuses.end()) throw JsonFault(concat("its 'status' is '", text, "'"));
  return *found;
}

Fingerprint fingerprint_member(const ordered_json& object) {
  const auto settings = object.find("settings");
  if (settings == object.end() || !settings->is_object()) throw JsonFault("it has no 'settings'");
  Fingerprint fingerprint;
  for (const auto& [name, value] : settings->items()) {
    if (!value.is_string()) throw JsonFault(concat("its setting '", name, "' is no text"));
    try {
      fingerprint.add(name, value.get<std::string>());
    } catch (const JobError& twice) {
      throw JsonFault(twice.what());
    }
  }
  if (hex128(fingerprint.hash()) != text_member(object, "fingerprint"))
    throw JsonFault("its 'fingerprint' is not that of its settings");
  return fingerprint;
}

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

}  // namespace

const char* status_text(JobStatus status) {
  switch (status) {
    case JobStatus::running:
      return "running";
    case JobStatus::interrupted:
      return "interrupted";
    case JobStatus::failed:
      return "failed";
    case JobStatus::done:
      return "done";
  }
  return "unknown";
}

Buffer serialise_state(const JobState& state) {
  ordered_json settings = ordered_json::object();
  for (const Fact& fact : state.fingerprint.facts()) settings[fact.name] = fact.value;
  return seal_json({{"format", format},
                    {"format_version", format_version},
                    {"program_version", state.program_version},
                    {"sequence", state.sequence},
                    {"start_id", state.start_id},
                    {"status", status_text(state.status)},
                    {"exit_code", or_null(state.exit_code)},
                    {"message", state.message},
                    {"output", state.output},
                    {"keeps_work", state.keeps_work},
                    {"chunks_done", state.chunks_done},
                    {"frames_done", state.frames_done},
                    {"frames_total", or_null(state.frames_total)},
                    {"started", state.started},
                    {"updated", state.updated},
                    {"host", state.host},
                    {"pid", state.pid},
                    {"launcher", state.launcher},
                    {"fingerprint", hex128(state.fingerprint.hash())},
                    {"settings", settings}});
}

ParsedState parse_state(std::span<const std::byte> bytes) {
  const OpenedJson opened = open_sealed_json(bytes, format, format_version);
  if (!opened.content) return {std::nullopt, opened.problem};
  const ordered_json& object = *opened.content;
  try {
    JobState state;
    state.program_version = text_member(object, "program_version");
    state.sequence = count_member(object, "sequence");
    state.start_id = text_member(object, "start_id");
    state.status = status_member(object);
    if (const auto exit_code = optional_count_member(object, "exit_code")) {
      if (*exit_code > max_exit_code) throw JsonFault("its 'exit_code' is above 255");
      state.exit_code = static_cast<int>(*exit_code);
    }
    state.message = text_member(object, "message");
    state.output = text_member(object, "output");
    state.keeps_work = flag_member(object, "keeps_work");
    state.chunks_done = count_member(object, "chunks_done");
    state.frames_done = count_member(object, "frames_done");
    state.frames_total = optional_count_member(object, "frames_total");
    state.started = text_member(object, "started");
    state.updated = text_member(object, "updated");
    state.host = text_member(object, "host");
    state.pid = count_member(object, "pid");
    state.launcher = text_member(object, "launcher");
    state.fingerprint = fingerprint_member(object);
    return {std::move(state), {}};
  } catch (const JsonFault& fault) {
    return {std::nullopt, fault.what()};
  }
}

}  // namespace atelier::io
