#include "atelier/base/buffer.h"

#include <gtest/gtest.h>

#include <cstdint>

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

}  // namespace
}  // namespace atelier
