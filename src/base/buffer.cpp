#include "atelier/base/buffer.h"

#include <sys/mman.h>

#include <new>

namespace atelier {
namespace {

constexpr std::align_val_t alignment{64};
// Planes of frames go from thread to thread; from the heap they would leave holes in every thread's part of
// it.
constexpr std::size_t min_mapped_bytes = std::size_t{64} << 10;

}  // namespace

Buffer::Buffer(std::size_t size_bytes) : size_(size_bytes) {
  if (size_bytes == 0) return;
  if (size_bytes < min_mapped_bytes) {
    data_ = Bytes(static_cast<std::byte*>(::operator new(size_bytes, alignment)));
    return;
  }
  void* pages = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  data_ = Bytes(static_cast<std::byte*>(pages), FreeBytes{size_bytes});
}

Buffer::Buffer(std::span<const std::byte> bytes) : Buffer(bytes.size()) {
  if (!bytes.empty()) std::memcpy(data(), bytes.data(), bytes.size());
}

void FreeBytes::operator()(std::byte* p) const noexcept {
  if (mapped_bytes == 0)
    ::operator delete(p, alignment);
  else
    munmap(p, mapped_bytes);
}

}  // namespace atelier
