#include "atelier/base/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

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

// An object store can do no more, and spdlog's own file sink appends.
TEST_F(Log, FileIsWrittenFrontToBackAndNotAppended) {
  const auto file = folder_.path() / "job-rank0.log";
  log::configure({.rank = 0, .file = file});
  log::to_file("a line");
  EXPECT_EQ(lines_of(file).size(), 2U);
  bool found = false;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone) != file) continue;
    const int flags = fcntl(std::stoi(entry.path().filename().string()), F_GETFL);
    EXPECT_EQ(flags & O_ACCMODE, O_WRONLY);
    EXPECT_EQ(flags & O_APPEND, 0);
    found = true;
  }
  EXPECT_TRUE(found);
}

TEST_F(Log, FirstLineAndThoseOfEarlierSecondsAreInTheFileOfAKilledProcess) {
  const auto file = folder_.path() / "job-rank0.log";
  log::configure({.rank = 0, .file = file});
  log::to_file("the first");
  EXPECT_GT(std::filesystem::file_size(file), 0U);
  log::to_file("the second");
  const auto before = std::filesystem::file_size(file);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  log::to_file("the third");
  EXPECT_GT(std::filesystem::file_size(file), before);
}

// /dev/full takes nothing: the log ends, the program does not.
TEST_F(Log, FullDiskEndsTheLogWithOneWarning) {
  log::configure({.rank = 0, .file = "/dev/full"});
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) log::to_file("a line");
  log::flush();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, testing::StartsWith("atelier: warning: the log file '/dev/full' ends here"));
  EXPECT_EQ(split(said, '\n').size(), 2U);
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
