#include "matroska_tracks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>

#include "atelier/base/handle.h"

namespace atelier::media {
namespace {
namespace fs = std::filesystem;

/// id: its bytes; a content of less than 127 bytes.
std::string element(const std::string& id, const std::string& content) {
  return id + static_cast<char>(0x80 | content.size()) + content;
}

std::string track(char number, char type, const std::string& more) {
  return element("\xAE", element("\xD7", {number}) + element("\x83", {type}) + more);
}

class MatroskaTracks : public testing::Test {
 protected:
  std::vector<MatroskaTrack> read(const std::string& bytes) {
    const fs::path path = folder_.path() / std::to_string(num_files_++);
    write_file_once(path, std::as_bytes(std::span(bytes)));
    return read_matroska_tracks(path);
  }
  const std::string ebml_ = element("\x1A\x45\xDF\xA3", element("\x42\x82", "matroska"));
  const std::string segment_ = "\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF";  // of unknown size
  const std::string void_ = element("\xEC", std::string(5, '\0'));
  const std::string video_ = element("\xE0", element("\x54\xBB", std::string("\x00\x04", 2)) +
                                                 element("\x54\xAA", "\x03") + element("\x54\xCC", "\x02") +
                                                 element("\x54\xDD", "\x01") + element("\x53\xC0", "\x01"));
  const std::string tracks_ = element("\x16\x54\xAE\x6B", track(1, 1, video_) + track(2, 16, "") +
                                                              track(7, 2, element("\x22\xB5\x9D", "de-CH")));
  const std::string cluster_ = element("\x1F\x43\xB6\x75", "");

 private:
  TemporaryFolder folder_{"atelier-matroska-test"};
  int num_files_ = 0;
};

TEST_F(MatroskaTracks, NumbersCropAndLanguagesOfTracksWithStreams) {
  const std::vector<MatroskaTrack> tracks = read(ebml_ + segment_ + void_ + tracks_ + cluster_);
  ASSERT_EQ(tracks.size(), 2U) << "FFmpeg makes no stream of a logo";
  EXPECT_EQ(tracks[0].number, 1U);
  EXPECT_THAT(tracks[0].crop, testing::ElementsAre(4, 3, 2, 1));
  EXPECT_TRUE(tracks[0].has_alpha);
  EXPECT_EQ(tracks[0].language_bcp47, "");
  EXPECT_EQ(tracks[1].number, 7U);
  EXPECT_FALSE(tracks[1].has_alpha);
  EXPECT_THAT(tracks[1].crop, testing::ElementsAre(0, 0, 0, 0));
  EXPECT_EQ(tracks[1].language_bcp47, "de-CH");
}

TEST_F(MatroskaTracks, OtherAndBrokenFilesHaveNone) {
  EXPECT_TRUE(read("").empty());
  EXPECT_TRUE(read("RIFF and so on").empty());
  EXPECT_TRUE(read(tracks_).empty()) << "no header";
  EXPECT_TRUE(read(ebml_ + segment_ + cluster_ + tracks_).empty()) << "too late";
  EXPECT_TRUE(read(ebml_ + std::string("\xEC\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9) + tracks_).empty());
  // Cut anywhere: what is whole is read, and nothing else.
  const std::string whole = ebml_ + segment_ + void_ + tracks_;
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_LE(read(whole.substr(0, size)).size(), 1U);
}

}  // namespace
}  // namespace atelier::media
