#include "atelier/base/error.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "atelier/base/checked_cast.h"
#include "atelier/base/exception_text.h"
#include "atelier/base/handle.h"
#include "atelier/base/log.h"

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

// What c10::Error gives: its message, and the stack below it.
TEST(ExceptionText, IsOneLineAndTheRestGoesToTheLogFile) {
  const std::runtime_error error(
      "size mismatch, got 3 and 4\nException raised from f at a.cpp:7\nframe #0: f\n");
  const TemporaryFolder folder("error-test");
  log::configure({.rank = 0, .file = folder.path() / "rank0.log"});
  EXPECT_EQ(exception_text(error), "size mismatch, got 3 and 4");
  log::flush();
  const Buffer bytes = read_file(folder.path() / "rank0.log");
  log::configure({});
  const std::string logged(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_NE(logged.find("frame #0: f"), std::string::npos) << logged;
  EXPECT_EQ(exception_text(JobError("it failed")), "it failed.");
}

TEST(CheckedCast, RefusesWhatDoesNotFit) {
  EXPECT_EQ(checked_cast<int>(7L), 7);
  EXPECT_THROW(checked_cast<int>(1L << 40), JobError);
  EXPECT_THROW(checked_cast<unsigned>(-1), JobError);
}

}  // namespace
}  // namespace atelier
