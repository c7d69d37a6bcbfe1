#include "input.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "atelier/base/error.h"
#include "atelier/media/muxer.h"
#include "atelier/media/video_reader.h"
#include "media/ffmpeg_tools.h"

namespace atelier::media {
namespace {
namespace fs = std::filesystem;
using test::ffmpeg;

std::string why_not(const fs::path& path) {
  try {
    VideoReaderConfig config;
    config.path = path;
    const VideoReader reader(config);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "it was read";
}

class InputTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path file(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] std::string quoted(const std::string& name) const {
    return "\"" + file(name).string() + "\"";
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }
  void make_video(const std::string& name) const {
    ffmpeg("-f lavfi -i testsrc=s=32x32:d=0.2:r=25 -c:v mpeg4 " + quoted(name));
  }
  void expect_refused(const fs::path& path, const std::string& reason) const {
    const std::string why = why_not(path);
    EXPECT_NE(why.find(reason), std::string::npos) << path << ": " << why;
    // One sentence, or one and what to do; no line break.
    EXPECT_EQ(why.find('\n'), std::string::npos);
    EXPECT_EQ(why.back(), '.');
  }
  TemporaryFolder folder_{"atelier-input-test"};
};

TEST_F(InputTest, BadInputIsRefusedWithASentence) {
  expect_refused(file("missing.mp4"), "no such file");
  write("empty.mp4", "");
  expect_refused(file("empty.mp4"), "is empty");
  write("notes.txt", "Dear diary,\nnothing happened.\n");
  write("notes.mp4", "Dear diary,\nnothing happened.\n");
  expect_refused(file("notes.txt"), "is a text file");
  expect_refused(file("notes.mp4"), "is a text file");
  write("subtitles.srt", "1\n00:00:00,000 --> 00:00:01,000\nHello\n");
  expect_refused(file("subtitles.srt"), "is a text file");
  write("noise.mp4", std::string("\x01\x02\x03\xFF\xFE\x00\x10\x80", 8) + std::string(3000, '\x07'));
  expect_refused(file("noise.mp4"), "cannot read");
  ffmpeg("-f lavfi -i sine=duration=0.2 " + quoted("sound.m4a"));
  expect_refused(file("sound.m4a"), "it holds only sound");
  fs::create_directory(file("nothing"));
  expect_refused(file("nothing"), "holds no pictures");
  fs::create_directory(file("broken"));
  write("broken/a.png", "no picture");
  write("broken/b.jpg", std::string("\xFF\xD8\xFF\xE0\x00\x10JFIF", 10));
  expect_refused(file("broken"), "a.png");
  expect_refused(file("f_%04d.png"), "no picture matches");
  mkfifo(file("pipe.mp4").c_str(), 0600);
  expect_refused(file("pipe.mp4"), "no regular file");
}

TEST_F(InputTest, ProtocolsAreRefused) {
  make_video("a.mp4");
  const std::string a = file("a.mp4").string();
  for (const std::string& name :
       {std::string("http://127.0.0.1:9/a.mp4"), std::string("https://localhost/a.mp4"),
        "concat:" + a + "|" + a, "file:" + a, std::string("data:video/mp4;base64,AAAA"),
        "subfile,,start,0,end,100,,:" + a, std::string("pipe:0"), std::string("tcp://127.0.0.1:9"),
        "crypto:" + a, "cache:" + a, "async:" + a, std::string("rtsp://127.0.0.1/x"), "concatf:" + a,
        "tee:" + a})
    expect_refused(name, "it is no local file");
  expect_refused("-", "no such file");
}

TEST_F(InputTest, PlaylistsAreRefused) {
  make_video("a.mp4");
  ffmpeg("-i " + quoted("a.mp4") + " -c copy -f hls -hls_list_size 0 " + quoted("list.m3u8"));
  expect_refused(file("list.m3u8"), "is a playlist");
  fs::copy(file("list.m3u8"), file("list.mp4"));
  expect_refused(file("list.mp4"), "is a playlist");
  write("list.ffconcat", "ffconcat version 1.0\nfile a.mp4\n");
  expect_refused(file("list.ffconcat"), "is a playlist");
  write("bare.txt", "file 'a.mp4'\nfile 'a.mp4'\n");
  expect_refused(file("bare.txt"), "is a text file");
  write("a.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n");
  expect_refused(file("a.sdp"), "is a playlist");
  write("a.mpd",
        "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"></MPD>\n");
  expect_refused(file("a.mpd"), "is a playlist");
}

/// A MOV whose samples lie in another file must not reach it.
TEST_F(InputTest, ExternalReferencesAreNotFollowed) {
  make_video("a.mov");
  // A data reference of type "alis" without the self-contained flag: what QuickTime reference movies have.
  std::ifstream in(file("a.mov"), std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const std::size_t at = bytes.find("url ", bytes.find("dref"));
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, 4, "alis");
  bytes[at + 7] = 0;
  std::ofstream(file("ref.mov"), std::ios::binary) << bytes;
  // Whether it is read from its own bytes or refused, nothing else is opened: io_open would be.
  const InputPtr input = open_input(file("ref.mov"));
  AVIOContext* io = nullptr;
  EXPECT_LT(input->io_open(input.get(), &io, file("a.mov").c_str(), AVIO_FLAG_READ, nullptr), 0);
  EXPECT_EQ(io, nullptr);
}

TEST_F(InputTest, AFileNamedLikeAProtocolIsAFile) {
  make_video("a.mp4");
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  fs::copy(file("a.mp4"), "http:a.mp4");
  fs::copy(file("a.mp4"), "clip_%04d.mp4");
  const std::string url = why_not("http:a.mp4");
  const std::string percent = why_not("clip_%04d.mp4");
  fs::current_path(before);
  EXPECT_EQ(url, "it was read");
  EXPECT_EQ(percent, "it was read");
}

TEST_F(InputTest, AttachedPicturesAreNotStyled) {
  ffmpeg("-f lavfi -i color=red:s=16x16 -frames:v 1 " + quoted("cover.png"));
  ffmpeg("-f lavfi -i sine=duration=0.2 -i " + quoted("cover.png") +
         " -map 0 -map 1 -disposition:v:0 attached_pic -c:v copy " + quoted("song.mp4"));
  expect_refused(file("song.mp4"), "only sound and a cover picture");
  make_video("v.mp4");
  ffmpeg("-i " + quoted("cover.png") + " -i " + quoted("v.mp4") +
         " -map 0 -map 1 -disposition:v:0 attached_pic -c copy " + quoted("both.mp4"));
  VideoReaderConfig config;
  config.path = file("both.mp4");
  const InputInfo info = VideoReader(config).info();
  EXPECT_EQ(info.codec, "mpeg4");
  ASSERT_EQ(info.streams.size(), 2U);
  for (const StreamSummary& stream : info.streams) EXPECT_NE(stream.styled, stream.cover_art) << stream.index;
}

TEST(LibrariesTest, VersionsNameEveryLibrary) {
  const std::string versions = library_versions();
  for (const char* name : {"FFmpeg ", "libavcodec ", "libavformat ", "libavutil ", "libswscale "})
    EXPECT_NE(versions.find(name), std::string::npos) << versions;
}

}  // namespace
}  // namespace atelier::media
