#include "atelier/io/work_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "io/faulty_files.h"
#include "work_directory_names.h"

namespace atelier::io {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class WorkDirectoryTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path work_dir() const { return folder_.path() / "out.mkv.atelier"; }
  void fill(const std::string& start_id) {
    fs::create_directories(work_dir() / "segments");
    for (const std::string& name :
         {"segments/" + segment_name(3, "0123456789abcdef", start_id, 1),
          "segments/" + segment_name(3, "0123456789abcdef", start_id, 2), numbered_name("owner", start_id, 7),
          numbered_name("state", start_id, 8), std::string("state.json")})
      put(name);
  }
  void put(const std::string& name) { write_file_once(work_dir() / name, {}); }

  TemporaryFolder folder_;
};

TEST_F(WorkDirectoryTest, goes_with_the_files_of_all_starts) {
  make_work_directory(work_dir());
  EXPECT_TRUE(fs::exists(work_dir() / "about.txt"));
  fill("start1");
  fill("start2");
  make_work_directory(work_dir());
  EXPECT_THAT(remove_work_directory(work_dir(), RemoveFiles::of_all_starts, "start2"), ElementsAre());
  EXPECT_FALSE(fs::exists(work_dir()));
}

TEST_F(WorkDirectoryTest, foreign_files_stay) {
  make_work_directory(work_dir());
  fill("start1");
  put("letter.txt");
  put("segments/picture.png");
  put("state-start1-8.json");
  EXPECT_THAT(remove_work_directory(work_dir(), RemoveFiles::of_all_starts, "start1"),
              UnorderedElementsAre("letter.txt", "segments/picture.png", "state-start1-8.json", "about.txt"));
  EXPECT_TRUE(fs::exists(work_dir() / "segments/picture.png"));
  EXPECT_FALSE(fs::exists(work_dir() / "state.json"));
}

TEST_F(WorkDirectoryTest, folder_that_was_there_before_stays) {
  fs::create_directory(work_dir());
  make_work_directory(work_dir());
  fill("start1");
  EXPECT_THAT(remove_work_directory(work_dir(), RemoveFiles::of_all_starts, "start1"), ElementsAre());
  EXPECT_TRUE(fs::is_empty(work_dir()));
}

TEST_F(WorkDirectoryTest, files_of_another_start_at_work_stay) {
  make_work_directory(work_dir());
  fill("start1");
  fill("start2");
  EXPECT_EQ(remove_work_directory(work_dir(), RemoveFiles::of_this_start, "start1").size(), 6U);
  EXPECT_TRUE(fs::exists(work_dir() / "segments" / segment_name(3, "0123456789abcdef", "start2", 1)));
  EXPECT_FALSE(fs::exists(work_dir() / "segments" / segment_name(3, "0123456789abcdef", "start1", 1)));
  EXPECT_TRUE(fs::exists(work_dir() / "state.json"));
}

TEST_F(WorkDirectoryTest, what_cannot_be_removed_stays_and_nothing_is_thrown) {
  make_work_directory(work_dir());
  fill("start1");
  FaultyFiles files;
  files.remove_errors = {EIO, EPERM};
  EXPECT_THAT(remove_work_directory(work_dir(), RemoveFiles::of_all_starts, "start1", files),
              UnorderedElementsAre(HasSubstr("segments/00000003"), "about.txt"));
  EXPECT_THAT(remove_work_directory(folder_.path() / "nowhere", RemoveFiles::of_all_starts, "start1"),
              ElementsAre());
}

TEST_F(WorkDirectoryTest, impossible_places_are_refused) {
  EXPECT_THROW(make_work_directory(folder_.path() / "no" / "such"), UsageError);
  write_file_once(work_dir(), {});
  EXPECT_THROW(make_work_directory(work_dir()), UsageError);
  FaultyFiles files;
  files.make_folder_errors = {EACCES};
  EXPECT_THROW(make_work_directory(folder_.path() / "closed", files), UsageError);
  files.make_folder_errors = {EIO, ENOTCONN};
  make_work_directory(folder_.path() / "later", files);
  EXPECT_TRUE(fs::exists(folder_.path() / "later" / "about.txt"));
}

TEST(WorkDirectoryNames, parse_what_they_write) {
  const auto segment = parse_segment_name(segment_name(123456789, "0123456789abcdef", "a1B", 12));
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->chunk_index, 123456789);
  EXPECT_EQ(segment->fingerprint_digits, "0123456789abcdef");
  EXPECT_EQ(segment->start_id, "a1B");
  EXPECT_EQ(segment->attempt, 12);
  const auto owner = parse_numbered_name("owner", numbered_name("owner", "a1B", 42));
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->start_id, "a1B");
  EXPECT_EQ(owner->sequence, 42);
}

TEST(WorkDirectoryNames, refuse_others) {
  for (const char* name :
       {"", ".seg", "00000001.seg", "00000001-0123456789abcdef.seg", "00000001-0123456789abcdef-.seg",
        "00000001-0123456789ABCDEF-a.seg", "1-0123456789abcdef-a.seg", "-0000001-0123456789abcdef-a.seg",
        "99999999999999999999-0123456789abcdef-a.seg", "00000001-0123456789abcdef-a.x.seg",
        "00000001-0123456789abcdef-a-b.seg", "00000001-0123456789abcdef-a..seg",
        "00000001-0123456789abcdef-a.1.seg", "00000001-0123456789abcdef-a.02.seg",
        "00000001-0123456789abcdef-a.99999999999.seg"})
    EXPECT_FALSE(parse_segment_name(name)) << name;
  for (const char* name :
       {"", "owner", "owner.json", "owner-a.json", "owner-a-1.json", "owner--00000001.json",
        "state-a-00000001.json", "owner-a-b-00000001.json", "owner-a-00000001.txt"})
    EXPECT_FALSE(parse_numbered_name("owner", name)) << name;
}

TEST(WorkDirectoryNames, AreNoLongerThanIsSaid) {
  const std::string start = "1a2b3c4d";
  const std::size_t segment = std::string(segments_folder).size() + 2 +
                              segment_name(99'999'999, std::string(16, 'f'), start, 1000).size();
  EXPECT_LE(segment, max_bytes_below_work_directory);
  EXPECT_LE(1 + numbered_name(owner_kind, start, 99'999'999).size(), max_bytes_below_work_directory);
}

}  // namespace
}  // namespace atelier::io
