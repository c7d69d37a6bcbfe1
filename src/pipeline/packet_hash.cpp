#include "packet_hash.h"

#include "atelier/base/byte_stream.h"

namespace atelier::pipeline {
namespace {

constexpr std::uint8_t packet_hash_version = 1;

}  // namespace

std::vector<std::byte> pack_packet_hash(std::uint64_t hash) {
  ByteWriter out;
  out.put(packet_hash_version);
  out.put(hash);
  return {out.bytes().begin(), out.bytes().end()};
}

std::optional<std::uint64_t> unpack_packet_hash(std::span<const std::byte> reader_state) {
  ByteReader in(reader_state);
  if (reader_state.size() != sizeof packet_hash_version + sizeof(std::uint64_t) ||
      in.get<std::uint8_t>() != packet_hash_version)
    return std::nullopt;
  return in.get<std::uint64_t>();
}

}  // namespace atelier::pipeline
