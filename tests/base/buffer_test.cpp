#include "atelier/base/buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <vector>

namespace atelier {
namespace {

// Sizes on both sides of what is mapped rather than taken from the heap.
TEST(Buffer, HoldsAndMovesItsBytesAtAnySize) {
  for (const std::size_t size : {1UL, 63UL, 65535UL, 65536UL, 65537UL, 3000001UL}) {
    Buffer buffer(size);
    ASSERT_EQ(buffer.size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0U) << size;
    std::memset(buffer.data(), 0x5a, size);
    const Buffer copy = buffer.clone();
    Buffer small(7);
    small = std::move(buffer);
    EXPECT_TRUE(buffer.empty());  // NOLINT(bugprone-use-after-move): moved-from buffers are empty
    EXPECT_EQ(std::memcmp(small.data(), copy.data(), size), 0);
    small = Buffer(3);
    EXPECT_EQ(small.size(), 3U);
  }
  EXPECT_EQ(Buffer(0).data(), nullptr);
}

TEST(Buffer, LargeOnesWaitForTheNextOfTheirSize) {
  constexpr std::size_t size = 300001;
  const std::byte* first = Buffer(size).data();
  Buffer again(size);
  EXPECT_EQ(again.data(), first);
  // Another size, or a second one at the same time, is other memory.
  EXPECT_NE(Buffer(size + 1).data(), first);
  EXPECT_NE(Buffer(size).data(), first);
}

long resident_pages() {
  long size = 0;
  long resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident;
}

// Tolerance: 64 MiB; 32 MiB may wait for their next use.
TEST(Buffer, ManyGoBackToTheSystem) {
  constexpr std::size_t size = std::size_t{4} << 20;
  const long before = resident_pages();
  {
    std::vector<Buffer> many;
    for (int i = 0; i < 64; ++i) std::memset(many.emplace_back(size).data(), 1, size);
    EXPECT_GT(resident_pages() - before, 64 * 1024 * 3 / 4);
  }
  EXPECT_LT(resident_pages() - before, 16 * 1024);
}

}  // namespace
}  // namespace atelier
