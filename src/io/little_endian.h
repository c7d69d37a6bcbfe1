#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace atelier::io {

template <std::size_t size_bytes>
struct UnsignedOfSize;
template <>
struct UnsignedOfSize<1> {
  using Type = std::uint8_t;
};
template <>
struct UnsignedOfSize<4> {
  using Type = std::uint32_t;
};
template <>
struct UnsignedOfSize<8> {
  using Type = std::uint64_t;
};

template <typename T>
concept Number = std::integral<T> || std::floating_point<T>;

/// Writes numbers and bytes one after another, little-endian. Without a target it only counts.
class LittleEndianWriter {
 public:
  LittleEndianWriter() = default;
  /// target: as many bytes as a counting writer said.
  explicit LittleEndianWriter(std::span<std::byte> target) : target_(target) {}

  template <Number T>
  void number(T value) {
    auto rest = std::bit_cast<typename UnsignedOfSize<sizeof(T)>::Type>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      if (!target_.empty()) target_[size_bytes_ + i] = static_cast<std::byte>(rest & 0xffU);
      rest = static_cast<decltype(rest)>(static_cast<std::uint64_t>(rest) >> 8U);
    }
    size_bytes_ += sizeof(T);
  }
  void bytes(std::span<const std::byte> values) {
    if (!target_.empty() && !values.empty())
      std::memcpy(target_.data() + size_bytes_, values.data(), values.size());
    size_bytes_ += values.size();
  }
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }

 private:
  std::span<std::byte> target_;
  std::size_t size_bytes_ = 0;
};

/// Reads what LittleEndianWriter wrote, never past the end. After the first read that did not fit, all give
/// zeros or nothing and failed() is true.
class LittleEndianReader {
 public:
  explicit LittleEndianReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <Number T>
  T number() {
    using Bits = typename UnsignedOfSize<sizeof(T)>::Type;
    const std::span<const std::byte> source = bytes(sizeof(T));
    Bits value = 0;
    for (std::size_t i = 0; i < source.size(); ++i)
      value = static_cast<Bits>(value | static_cast<Bits>(std::to_integer<Bits>(source[i]) << (8 * i)));
    return std::bit_cast<T>(value);
  }
  std::span<const std::byte> bytes(std::uint64_t size_bytes) {
    if (failed_ || size_bytes > rest_.size()) {
      failed_ = true;
      return {};
    }
    const auto taken = rest_.first(size_bytes);
    rest_ = rest_.subspan(size_bytes);
    return taken;
  }
  [[nodiscard]] std::size_t remaining_bytes() const { return rest_.size(); }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::span<const std::byte> rest_;
  bool failed_ = false;
};

}  // namespace atelier::io
