#include "atelier/base/error.h"

#include <gtest/gtest.h>

#include "atelier/base/checked_cast.h"

namespace atelier {
namespace {

TEST(Error, SetsNoFullStopInsideTheParentheses) {
  EXPECT_STREQ(JobError("it failed", "the disk is full.").what(), "it failed (the disk is full).");
}

TEST(Error, IsOneSentenceInTheAgreedForm) {
  EXPECT_STREQ(UsageError("no such file 'a.mp4'").what(), "no such file 'a.mp4'.");
  EXPECT_STREQ(UsageError("cannot read 'a'", "it is a folder", "Name a file").what(),
               "cannot read 'a' (it is a folder). Name a file.");
  EXPECT_EQ(JobError("x").code(), ExitCode::failed);
  EXPECT_EQ(UsageError("x").code(), ExitCode::usage);
}

TEST(Error, NeverSpansLines) {
  EXPECT_STREQ(JobError("a\nb", "c\r\nd").what(), "a b (c  d).");
}

TEST(CheckedCast, RefusesWhatDoesNotFit) {
  EXPECT_EQ(checked_cast<int>(7L), 7);
  EXPECT_THROW(checked_cast<int>(1L << 40), JobError);
  EXPECT_THROW(checked_cast<unsigned>(-1), JobError);
}

}  // namespace
}  // namespace atelier
