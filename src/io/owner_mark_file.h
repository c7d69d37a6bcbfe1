#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "atelier/base/buffer.h"
#include "atelier/io/owner_mark.h"

namespace atelier::io {

/// What a file owner-<start id>-<sequence>.json says.
struct StoredMark {
  std::string start_id;
  std::int64_t sequence = 0;  ///< at least zero
  bool running = true;        ///< else it has only just started
  ProcessIdentity process;
};

Buffer serialise_mark(const StoredMark& mark);
/// Total. nullopt: these are no whole bytes of serialise_mark.
std::optional<StoredMark> parse_mark(std::span<const std::byte> bytes);

}  // namespace atelier::io
