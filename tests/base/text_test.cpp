#include "atelier/base/text.h"

#include <gtest/gtest.h>

#include "atelier/base/hash.h"

namespace atelier {
namespace {

TEST(Text, SplitsAndJoins) {
  EXPECT_EQ(split("a,b,,c", ','), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_TRUE(split("", ',').empty());
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
}

TEST(Text, WritesSizesAndTimesForPeople) {
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(12), "12 B");
  EXPECT_EQ(human_duration(3723.4), "1:02:03");
  EXPECT_EQ(human_duration(123), "2:03");
}

// The value of XXH3_64bits of the empty input, from the xxHash specification's test vectors.
TEST(Hash, MatchesThePublishedValueOfTheEmptyInput) {
  EXPECT_EQ(hex64(hash64({})), "2d06800538d394c2");
  Hasher pieces;
  pieces.update(std::string("ab"));
  pieces.update(std::string("c"));
  const std::string whole = "abc";
  EXPECT_EQ(pieces.digest(), hash64(std::as_bytes(std::span(whole))));
}

}  // namespace
}  // namespace atelier
