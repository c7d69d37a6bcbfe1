#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace atelier {

/// Frees what Buffer allocates.
struct FreeBytes {
  std::size_t mapped_bytes = 0;  ///< 0: from the heap
  void operator()(std::byte* p) const noexcept;
};

/// Bytes with one owner, aligned to 64, not initialised. Large ones are mapped; up to 32 MiB of them wait for
/// the next buffer of their size, and the rest go back to the system at once.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size_bytes);
  /// A copy of bytes.
  explicit Buffer(std::span<const std::byte> bytes);

  Buffer(Buffer&& other) noexcept : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  [[nodiscard]] std::byte* data() noexcept { return data_.get(); }
  [[nodiscard]] const std::byte* data() const noexcept { return data_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::span<std::byte> bytes() noexcept { return {data_.get(), size_}; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_.get(), size_}; }
  [[nodiscard]] Buffer clone() const { return Buffer(bytes()); }

 private:
  using Bytes = std::unique_ptr<std::byte, FreeBytes>;
  Bytes data_;
  std::size_t size_ = 0;
};

}  // namespace atelier
