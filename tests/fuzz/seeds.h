#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "atelier/base/buffer.h"

namespace atelier::fuzz {

/// The folder of a target's seeds, a file each.
class Seeds {
 public:
  explicit Seeds(std::filesystem::path folder);
  void write(const std::string& name, std::span<const std::byte> bytes) const;
  void write(const std::string& name, const std::string& text) const {
    write(name, std::as_bytes(std::span(text)));
  }

 private:
  std::filesystem::path folder_;
};

void write_segment_seeds(const Seeds& seeds);
void write_state_seeds(const Seeds& seeds);
void write_protocol_seeds(const Seeds& seeds);

inline std::string text_of(const Buffer& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Throws where a seed would not be what its name says: part is not in text.
inline std::string replaced(std::string text, const std::string& part, const std::string& by) {
  const std::size_t at = text.find(part);
  if (at == std::string::npos) throw std::logic_error("a seed lacks '" + part + "'");
  return text.replace(at, part.size(), by);
}

/// The bytes with a little-endian number at an offset.
std::vector<std::byte> with_number(std::span<const std::byte> bytes, std::size_t offset, std::uint64_t value);

}  // namespace atelier::fuzz
