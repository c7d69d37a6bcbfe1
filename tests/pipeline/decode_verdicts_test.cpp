#include "decode_verdicts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace atelier::pipeline {
namespace {

/// In every order of five chunks, those that are known to be right are the ones without a gap before them.
TEST(DecodeVerdicts, CountUpToTheFirstGap) {
  std::vector<std::int64_t> order{0, 1, 2, 3, 4};
  do {
    DecodeVerdicts verdicts;
    std::vector<bool> seen(6, false);
    for (const std::int64_t chunk : order) {
      verdicts.good(chunk);
      seen[static_cast<std::size_t>(chunk)] = true;
      const auto gap = std::find(seen.begin(), seen.end(), false) - seen.begin();
      ASSERT_EQ(verdicts.num_good(), gap);
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(DecodeVerdicts, KeepTheFirstFault) {
  DecodeVerdicts verdicts;
  EXPECT_EQ(verdicts.fault(), "");
  verdicts.good(0);
  verdicts.fault("this");
  verdicts.fault("that");
  verdicts.good(2);
  EXPECT_EQ(verdicts.fault(), "this");
  EXPECT_EQ(verdicts.num_good(), 1);
}

}  // namespace
}  // namespace atelier::pipeline
