#include "atelier/io/live_status.h"

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "atelier/base/text.h"
#include "sealed_json.h"

namespace atelier::io {
namespace {

using nlohmann::ordered_json;

constexpr const char* format = "atelier status";
constexpr int format_version = 1;
constexpr std::array all_states{LiveState::starting, LiveState::running, LiveState::done, LiveState::failed,
                                LiveState::interrupted};

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

/// At least zero.
double number_member(const ordered_json& object, const char* name) {
  const ordered_json& value = member(object, name);
  if (!value.is_number() || !(value.get<double>() >= 0) || !std::isfinite(value.get<double>()))
    throw JsonFault(concat("its '", name, "' is no number of at least 0"));
  return value.get<double>();
}

std::optional<double> optional_number_member(const ordered_json& object, const char* name) {
  if (member(object, name).is_null()) return std::nullopt;
  return number_member(object, name);
}

int small_count_member(const ordered_json& object, const char* name) {
  const std::int64_t value = count_member(object, name);
  if (!std::in_range<int>(value)) throw JsonFault(concat("its '", name, "' is too large"));
  return static_cast<int>(value);
}

LiveState state_member(const ordered_json& object) {
  const std::string text = text_member(object, "state");
  for (const LiveState state : all_states) {
    if (text == state_text(state)) return state;
  }
  throw JsonFault(concat("its 'state' is '", text, "'"));
}

std::vector<EventRow> events_member(const ordered_json& object) {
  const ordered_json& list = member(object, "events");
  if (!list.is_array()) throw JsonFault("its 'events' are no list");
  std::vector<EventRow> events;
  for (const ordered_json& entry : list) {
    if (!entry.is_object()) throw JsonFault("one of its 'events' is no object");
    events.push_back({number_member(entry, "time_s"), small_count_member(entry, "rank"),
                      text_member(entry, "kind"), text_member(entry, "text")});
  }
  return events;
}

}  // namespace

const char* state_text(LiveState state) {
  constexpr std::array texts{"starting", "running", "done", "failed", "interrupted"};
  return texts[static_cast<std::size_t>(state)];
}

bool has_ended(LiveState state) {
  return state != LiveState::starting && state != LiveState::running;
}

Buffer serialise_live_status(const LiveStatus& status) {
  ordered_json events = ordered_json::array();
  for (const EventRow& row : status.events)
    events.push_back({{"time_s", row.time_s}, {"rank", row.rank}, {"kind", row.kind}, {"text", row.text}});
  ordered_json object({{"format", format},
                       {"format_version", format_version},
                       {"state", state_text(status.state)},
                       {"frames_done", status.frames_done},
                       {"frames_total", or_null(status.frames_total)},
                       {"frames_per_s", status.frames_per_s},
                       {"elapsed_s", status.elapsed_s},
                       {"remaining_s", or_null(status.remaining_s)},
                       {"workers_ready", status.workers_ready},
                       {"num_ranks", status.num_ranks},
                       {"failures", status.failures},
                       {"exit_code", or_null(status.exit_code)},
                       {"message", status.message},
                       {"events", events},
                       {"input", status.input},
                       {"output", status.output},
                       {"started", status.started},
                       {"updated", status.updated},
                       {"interval_s", status.interval_s},
                       {"sequence", status.sequence},
                       {"program_version", status.program_version},
                       {"launcher", status.launcher}});
  add_process(object, status.process);
  return seal_json(object);
}

ParsedLiveStatus parse_live_status(std::span<const std::byte> bytes) {
  const OpenedJson opened = open_sealed_json(bytes, format, format_version);
  if (!opened.content) return {std::nullopt, opened.problem};
  const ordered_json& object = *opened.content;
  try {
    LiveStatus status;
    status.state = state_member(object);
    status.frames_done = count_member(object, "frames_done");
    status.frames_total = optional_count_member(object, "frames_total");
    status.frames_per_s = number_member(object, "frames_per_s");
    status.elapsed_s = number_member(object, "elapsed_s");
    status.remaining_s = optional_number_member(object, "remaining_s");
    status.workers_ready = small_count_member(object, "workers_ready");
    status.num_ranks = small_count_member(object, "num_ranks");
    status.failures = count_member(object, "failures");
    if (const auto exit_code = optional_count_member(object, "exit_code")) {
      if (*exit_code > 255) throw JsonFault("its 'exit_code' is above 255");
      status.exit_code = static_cast<int>(*exit_code);
    }
    status.message = text_member(object, "message");
    status.events = events_member(object);
    status.input = text_member(object, "input");
    status.output = text_member(object, "output");
    status.started = text_member(object, "started");
    status.updated = text_member(object, "updated");
    status.interval_s = number_member(object, "interval_s");
    status.sequence = count_member(object, "sequence");
    status.program_version = text_member(object, "program_version");
    status.launcher = text_member(object, "launcher");
    status.process = process_members(object);
    return {std::move(status), {}};
  } catch (const JsonFault& fault) {
    return {std::nullopt, fault.what()};
  }
}

bool begins_like_live_status(std::span<const std::byte> bytes) {
  const std::string start = concat("{\n  \"format\": \"", format, "\"");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, start.size()) == std::string_view(start).substr(0, text.size());
}

}  // namespace atelier::io
