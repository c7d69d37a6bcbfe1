#include "atelier/base/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace atelier {
namespace {

// Of no bytes: 2d06800538d394c2 and 99aa06d3014798d86001c324468d497f are xxHash's own sanity values
// (https://github.com/Cyan4973/xxHash, cli/xsum_sanity_check.c).
TEST(Hash, of_nothing_is_that_of_xxhash) {
  EXPECT_EQ(hex64(hash64({})), "2d06800538d394c2");
  EXPECT_EQ(hex128(hash128({})), "99aa06d3014798d86001c324468d497f");
}

TEST(Hash, in_pieces_is_that_of_the_whole) {
  const std::string text = "atelier paints videos";
  Hasher hasher;
  hasher.update(text.substr(0, 7));
  hasher.update(text.substr(7));
  EXPECT_EQ(hasher.digest(), hash64(std::as_bytes(std::span(text))));
}

}  // namespace
}  // namespace atelier
