#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace atelier::media {

/// Bits into bytes, the highest bit first.
class BitWriter {
 public:
  /// The lowest num_bits of value; num_bits at most 64.
  void put(std::uint64_t value, int num_bits) {
    for (int bit = num_bits - 1; bit >= 0; --bit) {
      if (num_bits_ % 8 == 0) bytes_.push_back(std::byte{0});
      if ((value >> bit & 1U) != 0) bytes_.back() |= std::byte{0x80} >> (num_bits_ % 8);
      ++num_bits_;
    }
  }
  /// A one and as many zeros as the byte needs; nothing where it is full.
  void align() {
    if (num_bits_ % 8 != 0) put(1, 1);
    while (num_bits_ % 8 != 0) put(0, 1);
  }
  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
  std::int64_t num_bits_ = 0;
};

}  // namespace atelier::media
