#include "atelier/base/natural_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace atelier {
namespace {

/// Each before all that follow it.
const std::vector<std::string>& in_order() {
  static const std::vector<std::string> names{"",
                                              "-1",
                                              "0",
                                              "1",
                                              "9a",
                                              "00010",
                                              "010",
                                              "10",
                                              "18446744073709551616",
                                              "1" + std::string(40, '0'),
                                              "2" + std::string(40, '0'),
                                              "A1",
                                              "a",
                                              "a 1",
                                              "a1",
                                              "a1.jpg",
                                              "a1.png",
                                              "a1b2",
                                              "a1b10",
                                              "a2.JPG",
                                              "a2.jpg",
                                              "a010",
                                              "a10",
                                              "\xC3\xA4"};
  return names;
}

TEST(NaturalOrder, ComparesRunsOfDigitsAsNumbers) {
  const std::vector<std::string>& names = in_order();
  for (std::size_t i = 0; i < names.size(); ++i)
    for (std::size_t k = 0; k < names.size(); ++k)
      EXPECT_EQ(natural_less(names[i], names[k]), i < k) << names[i] << " | " << names[k];
}

/// Every text of up to four of these characters: sorting twice, from other starts, gives one order.
TEST(NaturalOrder, IsOneOrder) {
  std::vector<std::string> names{""};
  for (std::size_t i = 0; i < names.size() && names[i].size() < 4; ++i)
    for (const char c : {'0', '1', '2', 'a'}) names.push_back(names[i] + c);
  std::vector<std::string> backwards(names.rbegin(), names.rend());
  std::sort(names.begin(), names.end(), natural_less);
  std::sort(backwards.begin(), backwards.end(), natural_less);
  EXPECT_EQ(names, backwards);
  for (std::size_t i = 0; i < names.size(); ++i)
    for (std::size_t k = i + 1; k < names.size(); ++k) {
      ASSERT_TRUE(natural_less(names[i], names[k])) << names[i] << " | " << names[k];
      ASSERT_FALSE(natural_less(names[k], names[i])) << names[k] << " | " << names[i];
    }
}

}  // namespace
}  // namespace atelier
