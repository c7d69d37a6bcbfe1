#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace atelier::pipeline {

/// What a stored chunk says of the packets that it was made from (StoredSegment::reader_state).
std::vector<std::byte> pack_packet_hash(std::uint64_t hash);
/// nullopt: it was decoded at the root, or by another version.
std::optional<std::uint64_t> unpack_packet_hash(std::span<const std::byte> reader_state);

}  // namespace atelier::pipeline
