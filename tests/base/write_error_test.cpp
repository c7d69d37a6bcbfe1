#include "atelier/base/write_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"

namespace atelier {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(WriteError, SaysToRunAgainOnlyWhatMayPass) {
  const auto advice = [](int error_number) {
    return write_error_advice(error_number, "--work-dir", "otherwise");
  };
  for (const int passing : {EIO, ESTALE, ENOTCONN, EAGAIN, ENOSPC, EDQUOT})
    EXPECT_THAT(advice(passing), HasSubstr("un the same command again")) << passing;
  for (const int lasting : {ENAMETOOLONG, EINVAL, EISDIR, ENOTDIR, EBUSY, ELOOP})
    EXPECT_EQ(advice(lasting), "otherwise") << lasting;
  for (const int forbidden : {EACCES, EPERM, EROFS})
    EXPECT_THAT(advice(forbidden), HasSubstr("choose another with --work-dir")) << forbidden;
}

TEST(WriteError, TellsTheLimitOfTheUserFromThatOfTheFileSystem) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_EQ(write_error_text(EFBIG), "File too large: 'ulimit -f' allows 4.0 KiB a file");
  EXPECT_THAT(write_error_advice(EFBIG, "--output", ""), HasSubstr("run the same command again"));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  if (before.rlim_cur != RLIM_INFINITY) GTEST_SKIP() << "the shell has a limit for files";
  EXPECT_EQ(write_error_advice(EFBIG, "--output", ""), "Choose another file system with --output");
}

TEST(TryNewFile, LeavesNothing) {
  const TemporaryFolder folder;
  EXPECT_EQ(try_new_file(folder.path() / "name"), 0);
  EXPECT_EQ(try_new_file(folder.path() / std::string(256, 'n')), ENAMETOOLONG);
  EXPECT_EQ(try_new_file(folder.path() / "no" / "name"), ENOENT);
  EXPECT_TRUE(fs::is_empty(folder.path()));
  fs::create_directory(folder.path() / "there");
  EXPECT_EQ(try_new_file(folder.path() / "there"), EEXIST);
  EXPECT_TRUE(fs::exists(folder.path() / "there"));
}

class BehindLinks : public testing::Test {
 protected:
  [[nodiscard]] fs::path path(const std::string& name) const { return fs::canonical(folder_.path()) / name; }

 private:
  TemporaryFolder folder_;
};

TEST_F(BehindLinks, LeavesWhatIsNoLink) {
  EXPECT_EQ(behind_links("out.mp4", "output"), "out.mp4");
  EXPECT_EQ(behind_links(path("new.mp4"), "output"), path("new.mp4"));
  fs::create_directory(path("real"));
  fs::create_directory_symlink("real", path("way"));
  EXPECT_EQ(behind_links(path("way/out.mp4"), "output"), path("way/out.mp4"));
}

TEST_F(BehindLinks, FollowsChainsToAFileThatNeedNotExist) {
  fs::create_directories(path("a/b"));
  fs::create_symlink("../c.mp4", path("a/second"));
  fs::create_symlink("a/second", path("first"));
  EXPECT_EQ(behind_links(path("first"), "output"), path("c.mp4"));
  fs::create_symlink(path("first"), path("a/b/whole"));
  EXPECT_EQ(behind_links(path("a/b/whole"), "output"), path("c.mp4"));
  // A link to a folder on the way: '..' is that of the real one.
  fs::create_directory_symlink("a/b", path("way"));
  fs::create_symlink("../d.mp4", path("a/b/up"));
  EXPECT_EQ(behind_links(path("way/up"), "output"), path("a/d.mp4"));
}

TEST_F(BehindLinks, RefusesCirclesAndMissingFolders) {
  fs::create_symlink("two", path("one"));
  fs::create_symlink("one", path("two"));
  fs::create_symlink("no/such/out.mp4", path("lost"));
  const auto said = [&](const char* name) {
    try {
      (void)behind_links(path(name), "output");
    } catch (const UsageError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(said("one"), HasSubstr("lead in a circle"));
  EXPECT_THAT(said("lost"), HasSubstr("no/such/out.mp4"));
}

}  // namespace
}  // namespace atelier
