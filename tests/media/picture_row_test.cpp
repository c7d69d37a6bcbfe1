#include "atelier/media/picture_row.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "atelier/base/error.h"
#include "media/ffmpeg_tools.h"

namespace atelier::media {
namespace {
namespace fs = std::filesystem;

using Names = std::vector<std::string>;

Names names_of(const std::vector<fs::path>& files) {
  Names names;
  for (const fs::path& file : files) names.push_back(file.filename().string());
  return names;
}

class PictureRowTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path file(const std::string& name) const { return folder_.path() / name; }
  void write(const Names& names, const std::string& bytes = "x") const {
    for (const std::string& name : names) std::ofstream(file(name), std::ios::binary) << bytes;
  }
  TemporaryFolder folder_{"atelier-row-test"};
};

TEST_F(PictureRowTest, FoldersAreInNaturalOrder) {
  write({"frame10.png", "frame2.PNG", "frame1.jpg", "frame11.Jpeg", "frame003.tiff"});
  EXPECT_EQ(names_of(picture_row(folder_.path())),
            (Names{"frame1.jpg", "frame2.PNG", "frame003.tiff", "frame10.png", "frame11.Jpeg"}));
}

TEST_F(PictureRowTest, APictureIsKnownByItsEndingOrItsBeginning) {
  write(
      {"a.png", "b.webp", "e.HEIC", "notes.txt", "Thumbs.db", ".hidden.png", ".DS_Store", "._a.png", "empty"},
      "");
  write({"c", "d.backup"}, "\xFF\xD8\xFF\xE0 and so on");
  write({".e"}, "\xFF\xD8\xFF\xE0 and so on");
  write({"f.old"}, std::string("BM\x10\x01\0\0\0\0\0\0", 10));
  write({"g"}, "BMW and other cars");
  fs::create_directory(file("h.png"));
  fs::create_symlink("nowhere", file("i.png"));
  EXPECT_EQ(names_of(list_pictures(folder_.path())),
            (Names{"a.png", "b.webp", "c", "d.backup", "e.HEIC", "f.old", "i.png"}));
  EXPECT_THROW(list_pictures(file("missing")), UsageError);
}

TEST_F(PictureRowTest, PatternsTakeTheNumbersThatPrintfWrites) {
  const std::string long_number(40, '7');
  write({"f_0002.png", "f_0010.png", "f_010.png", "f_12345.png", "f_012345.png", "f_1.jpg",
         "f_" + long_number + ".png"});
  EXPECT_EQ(names_of(picture_row(file("f_%04d.png"))),
            (Names{"f_0002.png", "f_0010.png", "f_12345.png", "f_" + long_number + ".png"}));
  write({"g2", "g10", "g02", "g", "g2x"});
  EXPECT_EQ(names_of(picture_row(file("g%d"))), (Names{"g2", "g10"}));
  EXPECT_THROW(picture_row(file("h%d.png")), UsageError);
}

std::string missing_in(const Names& names) {
  return missing_numbers({names.begin(), names.end()});
}

TEST(MissingNumbers, AreNamedWhereNamesCount) {
  const std::vector<std::pair<Names, std::string>> cases{
      {{}, ""},
      {{"a1.png", "a2.png", "a3.png"}, ""},
      {{"a1.png", "a2.png", "a4.png"}, "frame 3 is missing"},
      {{"d/f_0011.png", "d/f_0012.png", "d/f_0020.jpg"}, "frames 13 to 19 are missing (7 in all)"},
      {{"1", "2", "4", "9", "10"}, "frames 3 and 5 to 8 are missing (5 in all)"},
      {{"1", "2", "4", "6", "8", "10", "12"}, "frames 3, 5, 7, 9 and more are missing (5 in all)"},
      // Larger steps of one size count too.
      {{"x10", "x20", "x30"}, ""},
      {{"x10", "x20", "x50"}, "frames 30 to 40 are missing (2 in all)"},
      // Several rows in one folder.
      {{"a1", "a2", "a4", "b07", "b08", "b11"}, "frames a3 and b09 to b10 are missing (3 in all)"},
      {{"1_1", "1_2", "1_3", "2_1", "2_2", "2_3"}, ""},
      {{"f1", "f1b", "f2", "f2b"}, ""},
      // One number with several endings.
      {{"f1.jpg", "f1.png", "f2.jpg", "f2.png", "f4.jpg"}, "frame 3 is missing"},
      // No counting: times, dates, too few, none, and numbers beyond any.
      {{"t1000", "t1033", "t1067", "t1100"}, ""},
      {{"2024-01-31", "2024-02-01", "2024-02-05"}, ""},
      {{"a1", "a5"}, ""},
      {{"cat", "dog", "fox"}, ""},
      {{"1" + std::string(40, '0'), "2" + std::string(40, '0'), "5" + std::string(40, '0')}, ""},
  };
  for (const auto& [names, want] : cases) EXPECT_EQ(missing_in(names), want) << join(names, " ");
}

}  // namespace
}  // namespace atelier::media
