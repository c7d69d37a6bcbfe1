#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "atelier/base/hash.h"
#include "atelier/io/job_state.h"
#include "atelier/io/live_status.h"

namespace {

/// What is taken must mean the same when it is written and read again.
void check(std::span<const std::byte> bytes) {
  const atelier::io::ParsedState parsed = atelier::io::parse_state(bytes);
  if (!parsed.state) {
    if (parsed.problem.empty()) std::abort();
    return;
  }
  const atelier::Buffer once = atelier::io::serialise_state(*parsed.state);
  const atelier::io::ParsedState again = atelier::io::parse_state(once.bytes());
  if (!again.state || again.state->sequence != parsed.state->sequence ||
      again.state->fingerprint != parsed.state->fingerprint || again.state->output != parsed.state->output)
    std::abort();
}

void check_live(std::span<const std::byte> bytes) {
  const atelier::io::ParsedLiveStatus parsed = atelier::io::parse_live_status(bytes);
  if (!parsed.status) {
    if (parsed.problem.empty()) std::abort();
    return;
  }
  const atelier::Buffer once = atelier::io::serialise_live_status(*parsed.status);
  const atelier::io::ParsedLiveStatus again = atelier::io::parse_live_status(once.bytes());
  if (!again.status || again.status->sequence != parsed.status->sequence ||
      again.status->events.size() != parsed.status->events.size() ||
      again.status->output != parsed.status->output)
    std::abort();
}

}  // namespace

/// The job's state and its status have the same seal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  check(bytes);
  check_live(bytes);
  // The ending that no mutation finds: the hash of all that stands before it.
  std::string text(reinterpret_cast<const char*>(data), size);
  text += ",\n  \"xxh3\": \"" + atelier::hex64(atelier::hash64(bytes)) + "\"\n}\n";
  check(std::as_bytes(std::span(text)));
  check_live(std::as_bytes(std::span(text)));
  return 0;
}
