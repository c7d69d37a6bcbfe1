#include "side_data_entries.h"

#include <cstdint>
#include <cstring>
#include <utility>

#include "atelier/base/checked_cast.h"
#include "atelier/base/error.h"

namespace atelier::media {
namespace {

// For each entry its type and its size as 32-bit words, then its bytes.
constexpr std::size_t header_bytes = 2 * sizeof(std::uint32_t);

void append_word(std::vector<std::byte>& out, std::uint32_t word) {
  const std::size_t at = out.size();
  out.resize(at + sizeof word);
  std::memcpy(out.data() + at, &word, sizeof word);
}

std::uint32_t word_at(const std::vector<std::byte>& bytes, std::size_t offset) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes.data() + offset, sizeof word);
  return word;
}

}  // namespace

std::vector<std::byte> pack_entries(const std::vector<SideDataEntry>& entries) {
  std::vector<std::byte> out;
  for (const SideDataEntry& entry : entries) {
    append_word(out, checked_cast<std::uint32_t>(entry.type));
    append_word(out, checked_cast<std::uint32_t>(entry.data.size()));
    out.insert(out.end(), entry.data.begin(), entry.data.end());
  }
  return out;
}

std::vector<SideDataEntry> unpack_entries(const std::vector<std::byte>& bytes) {
  std::vector<SideDataEntry> entries;
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes.size() - at < header_bytes) throw JobError("side data are cut", "half an entry header");
    SideDataEntry entry;
    entry.type = checked_cast<int>(word_at(bytes, at));
    const std::size_t size = word_at(bytes, at + sizeof(std::uint32_t));
    at += header_bytes;
    if (bytes.size() - at < size) throw JobError("side data are cut", "an entry is longer than its bytes");
    entry.data.assign(bytes.data() + at, bytes.data() + at + size);
    at += size;
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace atelier::media
