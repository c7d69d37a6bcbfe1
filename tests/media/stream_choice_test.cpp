#include "stream_choice.h"

#include <gtest/gtest.h>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/media/muxer.h"
#include "atelier/media/packet_reader.h"
#include "atelier/media/video_reader.h"
#include "media/ffmpeg_tools.h"

namespace atelier::media {
namespace {
namespace fs = std::filesystem;
using test::ffmpeg;

struct Tie {
  const char* what;
  std::vector<StreamCandidate> candidates;
  int index;
  const char* reason;
};

// What stands further up outweighs all that stands below it.
const std::vector<Tie>& ties() {
  using List = std::vector<StreamCandidate>;
  static const std::vector<Tie> all{
      {"none", {}, -1, ""},
      {"one", List{{.index = 3}}, 3, ""},
      {"an empty one alone", List{{.index = 0, .has_frames = false}}, 0, ""},
      {"a cover alone", List{{.index = 1, .is_cover = true, .is_default = true}}, -1, ""},
      {"frames before all else",
       List{{.index = 0, .has_frames = false, .is_default = true, .is_with_sound = true, .num_pixels = 900},
            {.index = 1, .num_pixels = 9}},
       1, "it has frames in the first seconds"},
      {"a cover never, whatever else it has",
       List{{.index = 0, .is_cover = true, .is_default = true, .is_with_sound = true, .num_pixels = 900},
            {.index = 1, .has_frames = false}},
       1, ""},
      {"the default before the one with the sound",
       List{{.index = 0, .is_with_sound = true, .num_pixels = 900}, {.index = 1, .is_default = true}}, 1,
       "it is the default"},
      {"the sound before size",
       List{{.index = 0, .num_pixels = 900}, {.index = 1, .is_with_sound = true, .num_pixels = 9}}, 1,
       "it is in the programme of the sound"},
      {"size before order", List{{.index = 0, .num_pixels = 9}, {.index = 1, .num_pixels = 900}}, 1,
       "it is the largest"},
      {"order at last", List{{.index = 2, .is_default = true}, {.index = 1, .is_default = true}}, 1,
       "it is the first"},
      {"all are empty, the rest decides",
       List{{.index = 0, .has_frames = false}, {.index = 1, .has_frames = false, .is_default = true}}, 1,
       "it is the default"},
      {"each weight counts among those that are left",
       List{{.index = 0, .has_frames = false, .num_pixels = 900},
            {.index = 1, .num_pixels = 9},
            {.index = 2, .num_pixels = 90},
            {.index = 3, .num_pixels = 90}},
       2, "it has frames in the first seconds, it is the largest, it is the first"},
  };
  return all;
}

TEST(StreamChoice, TiesAreDecidedInThisOrder) {
  for (const Tie& tie : ties()) {
    SCOPED_TRACE(tie.what);
    const StreamChoice choice = choose_stream(tie.candidates);
    EXPECT_EQ(choice.index, tie.index);
    EXPECT_EQ(choice.reason, tie.reason);
    std::vector<StreamCandidate> turned(tie.candidates.rbegin(), tie.candidates.rend());
    EXPECT_EQ(choose_stream(turned).index, tie.index) << "whatever the order of the list";
  }
}

class StreamChoiceOfFiles : public testing::Test {
 protected:
  void SetUp() override { quiet_libraries(); }
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }
  /// Two H.264 videos, 64x48 and 128x72, and sound.
  void make(const std::string& name, const std::string& options) const {
    ffmpeg(
        "-f lavfi -i testsrc2=size=64x48:rate=25:duration=1 -f lavfi -i "
        "testsrc2=size=128x72:rate=25:duration=1 "
        "-f lavfi -i sine=duration=1 -map 0 -map 1 -map 2 -c:v libx264 -pix_fmt yuv420p " +
        options + " \"" + path(name).string() + "\"");
  }
  static void expect_styled(const fs::path& file, int index, const std::string& reason) {
    const VideoReader reader({.path = file});
    EXPECT_EQ(reader.info().stream_index, index);
    EXPECT_EQ(reader.info().stream_choice, reason);
    EXPECT_TRUE(reader.info().streams.at(static_cast<std::size_t>(index)).styled);
  }
  static std::string refusal(const fs::path& file, int stream) {
    try {
      const VideoReader reader({.path = file, .stream = stream});
    } catch (const UsageError& error) {
      return error.what();
    }
    return "it was read";
  }

 private:
  TemporaryFolder folder_{"atelier-stream-choice-test"};
};

TEST_F(StreamChoiceOfFiles, ProgrammeOfTheSound) {
  // The larger one is in a programme without sound, whose streams come first in the file.
  make("a.ts", "-program title=A:st=1 -program title=B:st=0:st=2 -c:a mp2");
  expect_styled(path("a.ts"), 1, "it is in the programme of the sound");
}

TEST_F(StreamChoiceOfFiles, DefaultOfMatroska) {
  make("a.mkv", "-disposition:v:0 default -disposition:v:1 0");
  expect_styled(path("a.mkv"), 0, "it is the default");
  make("b.mkv", "-disposition:v:0 default -disposition:v:1 default");
  expect_styled(path("b.mkv"), 1, "it is the largest");
}

TEST_F(StreamChoiceOfFiles, EmptyStreamIsPassedOver) {
  // A track of the larger video that begins after the end of what is kept.
  ffmpeg(
      "-f lavfi -i testsrc2=size=64x48:rate=25:duration=1 -itsoffset 20 -f lavfi -i "
      "testsrc2=size=128x72:rate=25:duration=1 -map 1 -map 0 -c:v libx264 -pix_fmt yuv420p " +
      path("late.mkv").string());
  expect_styled(path("late.mkv"), 1, "it has frames in the first seconds");
}

TEST_F(StreamChoiceOfFiles, WantedStreamWins) {
  make("a.mkv", "");
  for (const int stream : {0, 1}) {
    const VideoReader reader({.path = path("a.mkv"), .stream = stream});
    EXPECT_EQ(reader.info().stream_index, stream);
    EXPECT_EQ(reader.info().stream_choice, "--stream");
    EXPECT_EQ(reader.info().format.width_px, stream == 0 ? 64 : 128);
    // Workers get packets of the same stream.
    PacketReader packets({.path = path("a.mkv"), .stream = stream, .chunk_frames = 10});
    for (const auto& [name, value] : packets.decoder_setup(reader.info()).parameters)
      if (name == "width") {
        EXPECT_EQ(value, stream == 0 ? 64 : 128);
      }
  }
}

TEST_F(StreamChoiceOfFiles, WhatIsNoVideoIsRefused) {
  ffmpeg("-f lavfi -i testsrc2=size=32x32 -frames:v 1 " + path("cover.jpg").string());
  make("plain.mkv", "");
  ffmpeg("-i " + path("plain.mkv").string() + " -i " + path("cover.jpg").string() +
         " -map 0 -map 1 -c copy -disposition:v:2 attached_pic " + path("a.mp4").string());
  EXPECT_NE(refusal(path("a.mp4"), 2).find("no video but audio"), std::string::npos);
  EXPECT_NE(refusal(path("a.mp4"), 3).find("a cover picture"), std::string::npos);
  EXPECT_NE(refusal(path("a.mp4"), 4).find("has no stream 4 (it has 4)"), std::string::npos);
  EXPECT_NE(refusal(path("cover.jpg"), 1).find("has no stream 1"), std::string::npos);
  EXPECT_EQ(refusal(path("cover.jpg"), 0), "it was read");
}

}  // namespace
}  // namespace atelier::media
