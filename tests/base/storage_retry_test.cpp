#include "atelier/base/storage_retry.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "atelier/base/stopwatch.h"

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
  for (const int number : {EIO, ESTALE, ENOTCONN, EAGAIN, EINTR, ETIMEDOUT, ENOSPC, EDQUOT})
    EXPECT_TRUE(may_pass(number) && !is_about_path(number)) << number;
}

TEST(StorageRetry, AReaderThatWaitsGivesUpWhenTheJobEnds) {
  const Stopwatch watch;
  std::thread reader([] { wait_to_read(60); });
  give_up_reading(true);
  reader.join();
  wait_to_read(60);
  give_up_reading(false);
  EXPECT_LT(watch.seconds_s(), 30);
  wait_to_read(0.01);
  EXPECT_GE(watch.seconds_s(), 0.01);
}

}  // namespace
}  // namespace atelier
