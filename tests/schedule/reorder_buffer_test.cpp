#include "atelier/schedule/reorder_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace atelier::schedule {
namespace {

// Every order in which six items can arrive.
TEST(ReorderBuffer, GivesItemsByIndexForEveryOrderOfArrival) {
  std::array<std::int64_t, 6> order = {3, 4, 5, 6, 7, 8};
  int num_orders = 0;
  do {
    ReorderBuffer<std::string> buffer(3);
    std::vector<std::string> out;
    for (const std::int64_t index : order) {
      buffer.push(index, std::to_string(index));
      while (auto item = buffer.pop()) out.push_back(*item);
    }
    ASSERT_EQ(out, (std::vector<std::string>{"3", "4", "5", "6", "7", "8"}));
    ASSERT_EQ(buffer.size(), 0U);
    ++num_orders;
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(num_orders, 720);
}

TEST(ReorderBuffer, RefusesAnIndexThatCameBefore) {
  ReorderBuffer<int> buffer;
  buffer.push(1, 10);
  EXPECT_THROW(buffer.push(1, 11), JobError);
  buffer.push(0, 9);
  EXPECT_TRUE(buffer.ready());
  EXPECT_EQ(buffer.pop(), 9);
  EXPECT_THROW(buffer.push(0, 9), JobError);
  EXPECT_EQ(buffer.pop(), 10);
  EXPECT_EQ(buffer.pop(), std::nullopt);
}

}  // namespace
}  // namespace atelier::schedule
