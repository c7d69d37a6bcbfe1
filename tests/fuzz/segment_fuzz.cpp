#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

#include "atelier/io/segment_file.h"
#include "work_directory_names.h"

namespace {

using atelier::Buffer;

constexpr std::size_t size_offset = 12;
constexpr std::size_t end_marker_bytes = 8;
constexpr std::size_t hash_bytes = 8;

void put_little_endian(std::byte* to, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) to[i] = static_cast<std::byte>(value >> (8 * i));
}

/// The same bytes with the size, end marker and hash that a writer would have given them: no mutation finds
/// those, and behind them lies most of the parser.
Buffer sealed(std::span<const std::byte> bytes) {
  Buffer file(bytes);
  put_little_endian(file.data() + size_offset, file.size());
  std::byte* const tail = file.data() + file.size() - end_marker_bytes - hash_bytes;
  std::memcpy(tail, "ATELEND\n", end_marker_bytes);
  put_little_endian(tail + end_marker_bytes, atelier::hash64(file.bytes().first(file.size() - hash_bytes)));
  return file;
}

/// What is taken must come out again byte by byte.
void check(std::span<const std::byte> bytes) {
  const atelier::io::ParsedSegment parsed = atelier::io::parse_segment(bytes);
  if (!parsed.segment) {
    if (parsed.problem.reason.empty()) std::abort();
    return;
  }
  const Buffer again = atelier::io::serialise_segment(*parsed.segment);
  if (!std::ranges::equal(again.bytes(), bytes)) std::abort();
}

void check_name(std::string_view name) {
  if (const auto parts = atelier::io::parse_segment_name(name);
      parts && name != atelier::io::segment_name(parts->chunk_index, parts->fingerprint_digits,
                                                 parts->start_id, parts->attempt))
    std::abort();
}

}  // namespace

/// Bytes of a segment file, or its name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  check(bytes);
  check_name({reinterpret_cast<const char*>(data), size});
  if (size >= size_offset + sizeof(std::uint64_t) + end_marker_bytes + hash_bytes)
    check(sealed(bytes).bytes());
  return 0;
}
