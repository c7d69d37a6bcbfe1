#include "atelier/media/input_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <span>
#include <string>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"

namespace atelier::media {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class InputStateTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path file(const std::string& name) const { return folder_.path() / name; }
  static void write(const fs::path& path, const std::string& text) {
    write_file_once(path, std::as_bytes(std::span(text)));
  }
  static std::string change(const fs::path& path, const InputState& before) {
    try {
      check_unchanged(path, before);
    } catch (const JobError& error) {
      return error.what();
    }
    return "none";
  }

  TemporaryFolder folder_;
};

TEST_F(InputStateTest, AFileIsItsSizeAndTime) {
  write(file("a.mkv"), "half");
  const InputState before = input_state(file("a.mkv"));
  EXPECT_EQ(before.size_bytes, 4);
  EXPECT_EQ(change(file("a.mkv"), before), "none");
  write(file("a.mkv"), "the whole");
  EXPECT_THAT(change(file("a.mkv"), before),
              testing::AllOf(HasSubstr("was still being written"), HasSubstr("4 bytes"), HasSubstr("has 9")));
  write(file("a.mkv"), "othe");
  fs::last_write_time(file("a.mkv"), fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_THAT(change(file("a.mkv"), before), HasSubstr("time of change"));
  fs::remove(file("a.mkv"));
  EXPECT_THAT(change(file("a.mkv"), before), HasSubstr("can no longer be read"));
  EXPECT_THROW(input_state(file("a.mkv")), UsageError);
}

TEST_F(InputStateTest, AFolderIsItsPicturesAndNothingElse) {
  for (const char* name : {"1.png", "2.png"}) write(file(name), "picture");
  const InputState before = input_state(folder_.path());
  EXPECT_EQ(before.num_files, 2);
  write(file("out.mkv.part"), "of ours");
  EXPECT_EQ(change(folder_.path(), before), "none");
  EXPECT_EQ(input_state(file("%d.png")), before);
  write(file("3.png"), "picture");
  EXPECT_THAT(change(folder_.path(), before), testing::AllOf(HasSubstr("2 pictures"), HasSubstr("has 3")));
  fs::remove(file("3.png"));
  fs::last_write_time(file("1.png"), fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_THAT(change(folder_.path(), before), HasSubstr("one of its pictures"));
  fs::rename(file("2.png"), file("4.png"));
  EXPECT_NE(change(folder_.path(), before), "none");
}

}  // namespace
}  // namespace atelier::media
