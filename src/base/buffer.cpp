#include "atelier/base/buffer.h"

#include <sys/mman.h>

#include <bit>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace atelier {
namespace {

constexpr std::align_val_t alignment{64};
// Planes of frames go from thread to thread; from the heap they would leave holes in every thread's part of
// it.
constexpr std::size_t min_mapped_bytes = std::size_t{64} << 10;

// Mapped sizes come in steps of an eighth, so that buffers of about the same size, such as encoded chunks,
// can follow one another. Pages that nobody touches cost nothing.
std::size_t mapping_bytes(std::size_t size_bytes) {
  const std::size_t step = std::bit_floor(size_bytes) / 8;
  return (size_bytes + step - 1) / step * step;
}

/// Mapped memory that waits for its next use. The system clears every page that it gives out, page by page:
/// for a frame that costs more than copying it.
class FreeMappings {
 public:
  /// Null: there is none of this size.
  void* take(std::size_t size_bytes) {
    const std::lock_guard lock(mutex_);
    const auto found = by_size_.find(size_bytes);
    if (found == by_size_.end()) return nullptr;
    void* pages = found->second.back();
    found->second.pop_back();
    if (found->second.empty()) by_size_.erase(found);
    kept_bytes_ -= size_bytes;
    return pages;
  }

  /// False: enough is kept already.
  bool keep(void* pages, std::size_t size_bytes) {
    const std::lock_guard lock(mutex_);
    if (kept_bytes_ + size_bytes > max_kept_bytes) return false;
    by_size_[size_bytes].push_back(pages);
    kept_bytes_ += size_bytes;
    return true;
  }

 private:
  static constexpr std::size_t max_kept_bytes = std::size_t{32} << 20;
  std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> by_size_;
  std::size_t kept_bytes_ = 0;
};

// Never destroyed: buffers may outlive everything else.
FreeMappings& free_mappings() {
  static auto* mappings = new FreeMappings;
  return *mappings;
}

}  // namespace

Buffer::Buffer(std::size_t size_bytes) : size_(size_bytes) {
  if (size_bytes == 0) return;
  if (size_bytes < min_mapped_bytes) {
    data_ = Bytes(static_cast<std::byte*>(::operator new(size_bytes, alignment)));
    return;
  }
  const std::size_t mapped_bytes = mapping_bytes(size_bytes);
  void* pages = free_mappings().take(mapped_bytes);
  if (pages == nullptr)
    pages = mmap(nullptr, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  data_ = Bytes(static_cast<std::byte*>(pages), FreeBytes{mapped_bytes});
}

Buffer::Buffer(std::span<const std::byte> bytes) : Buffer(bytes.size()) {
  if (!bytes.empty()) std::memcpy(data(), bytes.data(), bytes.size());
}

void FreeBytes::operator()(std::byte* p) const noexcept {
  if (mapped_bytes == 0)
    ::operator delete(p, alignment);
  else if (!free_mappings().keep(p, mapped_bytes))
    munmap(p, mapped_bytes);
}

}  // namespace atelier
