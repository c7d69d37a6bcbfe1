#include "atelier/base/storage_retry.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

namespace atelier {
namespace {

TEST(StorageRetry, OnlyFileSystemsThatCannotFlushAreForgiven) {
  for (const int number : {EINVAL, ENOSYS, ENOTSUP}) EXPECT_TRUE(is_flush_refusal(number)) << number;
  for (const int number : {EIO, ENOSPC, EDQUOT, EROFS}) EXPECT_FALSE(is_flush_refusal(number)) << number;
}

TEST(StorageRetry, TriesAgainOnlyWhatMayPass) {
  std::vector<double> waits_s;
  const auto wait = [&](double seconds_s) { waits_s.push_back(seconds_s); };
  int calls = 0;
  EXPECT_EQ(with_retries(wait, [&] { return ++calls < 3 ? EIO : 0; }), 0);
  EXPECT_EQ(waits_s, (std::vector<double>{0.25, 1}));
  calls = 0;
  EXPECT_EQ(with_retries(wait, [&] { return ++calls, ESTALE; }), ESTALE);
  EXPECT_EQ(calls, 4);
  calls = 0;
  EXPECT_EQ(with_retries(wait, [&] { return ++calls, EACCES; }), EACCES);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace atelier
