#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace atelier {

/// XXH3, 64 bit (xxhash.com), of bytes.
std::uint64_t hash64(std::span<const std::byte> bytes);

struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const Hash128&) const = default;
};
/// XXH3, 128 bit, of bytes.
Hash128 hash128(std::span<const std::byte> bytes);

/// XXH3 over several pieces.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::span<const std::byte> bytes);
  void update(const std::string& text);
  [[nodiscard]] std::uint64_t digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 16 lower-case hex digits.
std::string hex64(std::uint64_t value);
/// 32 lower-case hex digits, the high half first: what `xxhsum -H2` prints.
std::string hex128(Hash128 value);

}  // namespace atelier
