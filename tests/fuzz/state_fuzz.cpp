#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "atelier/base/hash.h"
#include "atelier/io/job_state.h"
#include "atelier/io/live_status.h"
#include "owner_mark_file.h"
#include "work_directory_names.h"

namespace {

namespace io = atelier::io;

/// What is taken must mean the same when it is written and read again.
void check_state(std::span<const std::byte> bytes) {
  const io::ParsedState parsed = io::parse_state(bytes);
  if (!parsed.state) {
    if (parsed.problem.empty()) std::abort();
    return;
  }
  const atelier::Buffer once = io::serialise_state(*parsed.state);
  const io::ParsedState again = io::parse_state(once.bytes());
  if (!again.state || again.state->sequence != parsed.state->sequence ||
      again.state->fingerprint != parsed.state->fingerprint || again.state->output != parsed.state->output)
    std::abort();
}

void check_live_status(std::span<const std::byte> bytes) {
  static_cast<void>(io::begins_like_live_status(bytes));
  const io::ParsedLiveStatus parsed = io::parse_live_status(bytes);
  if (!parsed.status) {
    if (parsed.problem.empty()) std::abort();
    return;
  }
  const atelier::Buffer once = io::serialise_live_status(*parsed.status);
  const io::ParsedLiveStatus again = io::parse_live_status(once.bytes());
  if (!again.status || again.status->sequence != parsed.status->sequence ||
      again.status->events.size() != parsed.status->events.size() ||
      again.status->output != parsed.status->output || !io::begins_like_live_status(once.bytes()))
    std::abort();
}

void check_mark(std::span<const std::byte> bytes) {
  const std::optional<io::StoredMark> mark = io::parse_mark(bytes);
  if (!mark) return;
  const std::optional<io::StoredMark> again = io::parse_mark(io::serialise_mark(*mark).bytes());
  if (!again || again->start_id != mark->start_id || again->sequence != mark->sequence ||
      again->running != mark->running || again->process.host != mark->process.host ||
      again->process.pid != mark->process.pid)
    std::abort();
}

void check_all(std::span<const std::byte> bytes) {
  check_state(bytes);
  check_live_status(bytes);
  check_mark(bytes);
}

void check_name(std::string_view kind, std::string_view name) {
  if (const std::optional<io::NumberedName> parts = io::parse_numbered_name(kind, name);
      parts && io::numbered_name(kind, parts->start_id, parts->sequence) != name)
    std::abort();
}

}  // namespace

/// Bytes of a file in the work directory or beside the output, all of which have the same seal, or its name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  check_all(bytes);
  std::string text(reinterpret_cast<const char*>(data), size);
  for (const char* kind : {io::state_kind, io::owner_kind}) check_name(kind, text);
  // The ending that no mutation finds: the hash of all that stands before it.
  text += ",\n  \"xxh3\": \"" + atelier::hex64(atelier::hash64(bytes)) + "\"\n}\n";
  check_all(std::as_bytes(std::span(text)));
  return 0;
}
