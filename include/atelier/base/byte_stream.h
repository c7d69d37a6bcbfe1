#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace atelier {

/// Appends values and byte strings, as the machine has them (little-endian).
class ByteWriter {
 public:
  template <typename T>
  void put(const T& value) {
    static_assert(std::is_arithmetic_v<T>);
    append(std::as_bytes(std::span(&value, 1)));
  }
  /// A 64-bit length, then the bytes.
  void put_bytes(std::span<const std::byte> bytes) {
    put<std::uint64_t>(bytes.size());
    append(bytes);
  }
  void put_text(const std::string& text) { put_bytes(std::as_bytes(std::span(text))); }

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  void append(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  std::vector<std::byte> bytes_;
};

/// Reads what ByteWriter wrote. Total: whatever the bytes are, it reads inside them or throws Cut.
class ByteReader {
 public:
  struct Cut : std::runtime_error {
    Cut() : std::runtime_error("it is cut") {}
  };

  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <typename T>
  T get() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::span<const std::byte> get_bytes() { return take(get<std::uint64_t>()); }
  std::vector<std::byte> get_vector() {
    const std::span<const std::byte> bytes = get_bytes();
    return {bytes.begin(), bytes.end()};
  }
  std::string get_text() {
    const std::span<const std::byte> bytes = get_bytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  /// A count of items of at least this many bytes each, so that it may be reserved.
  std::size_t get_count(std::size_t min_item_bytes) {
    const auto count = get<std::uint64_t>();
    if (count > rest_.size() / min_item_bytes) throw Cut();
    return count;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::span<const std::byte> take(std::uint64_t size) {
    if (size > rest_.size()) throw Cut();
    const std::span<const std::byte> taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::span<const std::byte> rest_;
};

}  // namespace atelier
