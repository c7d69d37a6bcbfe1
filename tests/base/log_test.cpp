#include "atelier/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"

namespace atelier {
namespace {

using testing::HasSubstr;
using testing::Not;

class Log : public testing::Test {
 protected:
  ~Log() override { log::configure({}); }

  /// Lines of the log file.
  static std::vector<std::string> lines_of(const std::filesystem::path& file) {
    log::flush();
    const Buffer bytes = read_file(file);
    return split({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, '\n');
  }

  static void write_all() {
    log::debug("a detail");
    log::info("a fact");
    log::warning("a warning");
    log::error("an error");
    log::to_file("frame 7 pts 280 done 1.234 s");
  }

  TemporaryFolder folder_;
};

TEST_F(Log, FileOfARankHasEveryLineWithTimeAndRank) {
  const auto file = folder_.path() / "job-rank3.log";
  log::configure({.rank = 3, .file = file});
  testing::internal::CaptureStderr();
  write_all();
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "atelier: warning: a warning\natelier: error: an error\n");
  const std::vector<std::string> lines = lines_of(file);
  ASSERT_EQ(lines.size(), 6U);  // five and the end of the last
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_THAT(lines[i], testing::ContainsRegex(
                              "^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}[+-][0-9:]{5} rank 3 "));
  }
  EXPECT_THAT(lines[0], testing::EndsWith("debug: a detail"));
  EXPECT_THAT(lines[4], testing::EndsWith("info: frame 7 pts 280 done 1.234 s"));
}

TEST_F(Log, RootTellsFactsOnStderr) {
  log::configure({});
  testing::internal::CaptureStderr();
  write_all();
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "atelier: a fact\natelier: warning: a warning\natelier: error: an error\n");
}

TEST_F(Log, RanksOfSeveralJobsShareAFolder) {
  for (const char* name : {"a-rank0.log", "a-rank1.log", "b-rank0.log"}) {
    log::configure({.rank = 1, .file = folder_.path() / "logs" / name});
    log::to_file(concat("I am ", name));
  }
  for (const char* name : {"a-rank0.log", "a-rank1.log", "b-rank0.log"}) {
    EXPECT_THAT(lines_of(folder_.path() / "logs" / name)[0], HasSubstr(concat("I am ", name)));
  }
}

TEST_F(Log, FolderThatCannotBeMadeIsAUsageError) {
  write_file_once(folder_.path() / "file", {});
  try {
    log::configure({.rank = 0, .file = folder_.path() / "file" / "x.log"});
    FAIL() << "no error";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("x.log"));
    EXPECT_THAT(error.what(), HasSubstr("--log-dir"));
    EXPECT_THAT(error.what(), Not(HasSubstr("Success")));
  }
}

}  // namespace
}  // namespace atelier
