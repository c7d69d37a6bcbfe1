#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>

#include "atelier/base/error.h"
#include "media/decoded.h"
#include "media/ffmpeg_tools.h"

namespace atelier::media {
namespace {
namespace fs = std::filesystem;
using test::ffmpeg;
using test::ffprobe_pts;
using test_support::decode;
using test_support::Decoded;
using test_support::expect_times;
using test_support::Kind;

class DamageTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path file(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] std::string quoted(const std::string& name) const {
    return "\"" + file(name).string() + "\"";
  }
  TemporaryFolder folder_{"atelier-damage-test"};
};

/// Damaged clips give the same frames on every run and on any number of threads, and ffprobe's count of
/// frames.
TEST_F(DamageTest, DamageIsCountedAndTheFramesStayTheSame) {
  int num_noticed = 0;
  for (const Kind& kind : std::initializer_list<Kind>{
           {"a.mp4", "-c:v libx264 -bf 3 -g 24 -movflags +faststart"},
           {"a.mkv", "-c:v libx264 -bf 3 -g 24 -x264-params open-gop=1"},
           {"slices.ts", "-c:v libx264 -bf 3 -g 24 -slices 4"},
           {"refresh.mkv", "-c:v libx264 -x264-params intra-refresh=1:keyint=24"},
           {"hevc.mkv", "-c:v libx265 -x265-params log-level=none:keyint=24"},
           {"a.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"},
           {"mpeg2.ts", "-c:v mpeg2video -bf 2 -g 24 -b:v 2M"},
           {"mpeg4.avi", "-c:v mpeg4 -bf 2 -g 24 -b:v 2M"},
           {"raw.h264", "-c:v libx264 -bf 3 -g 24"},
       }) {
    SCOPED_TRACE(kind.file);
    // The threads decide which bytes are hit; with 4 of x264 the Matroska clip has two frames of one time.
    ffmpeg(std::string("-f lavfi -i testsrc2=s=160x120:r=25:d=12 -vf noise=alls=9:allf=t+u ") + kind.options +
           " -threads 4 " + quoted(kind.file));
    const Decoded whole = decode(file(kind.file));
    Buffer bytes = read_file(file(kind.file));
    for (std::size_t at = bytes.size() * 6 / 10; at < bytes.size() * 9 / 10; at += bytes.size() / 9)
      for (std::size_t i = 0; i < 40; ++i) bytes.data()[at + 3 * i] ^= std::byte{0x5A};
    write_file_once(file(std::string("bad_") + kind.file), bytes.bytes());
    VideoReaderConfig config;
    config.path = file(std::string("bad_") + kind.file);
    config.num_threads = 4;
    const Decoded first = decode(config);
    if (first.damage.num_errors > 0) {
      ++num_noticed;
      EXPECT_NE(first.damage.first_problem.find("near "), std::string::npos) << first.damage.first_problem;
    }
    EXPECT_GT(first.pts.size(), 200U);
    for (const int num_threads : {4, 1, 16}) {
      config.num_threads = num_threads;
      const Decoded again = decode(config);
      EXPECT_EQ(again.pts, first.pts) << num_threads;
      for (std::size_t i = 0; i < std::min(again.hashes.size(), first.hashes.size()); ++i)
        EXPECT_EQ(again.hashes[i], first.hashes[i]) << num_threads << " threads, frame " << i;
      EXPECT_EQ(again.damage.num_errors, first.damage.num_errors) << num_threads;
    }
    const std::vector<std::int64_t> want = ffprobe_pts(config.path);
    EXPECT_EQ(first.pts.size(), want.size());
    // Times of a transport stream are damaged with it.
    if (!std::string(kind.file).ends_with(".ts")) expect_times(first.pts, want);
    EXPECT_LT(static_cast<double>(first.pts.back() - first.pts.front()) * first.info.time_base.value(), 13.0);
    // What lies before the first fault is untouched.
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(first.hashes[i], whole.hashes[i]) << i;
  }
  // Flipped bytes may decode to some picture without an error, in VP9 always, with CABAC at times.
  EXPECT_GE(num_noticed, 6);
}

/// A flipped bit may end a slice of HEVC early, and nobody says so: what is left of the frame must not depend
/// on which buffer it got.
TEST_F(DamageTest, SamplesThatHevcLeavesOutAreTheSameOnEveryRun) {
  ffmpeg(
      "-f lavfi -i testsrc2=s=192x108:r=25:d=2 -c:v libx265 -pix_fmt yuv420p "
      "-x265-params log-level=none:keyint=10:open-gop=1:bframes=4 " +
      quoted("a.mkv"));
  const Buffer whole = read_file(file("a.mkv"));
  std::mt19937 random(5);
  for (int clip = 0; clip < 6; ++clip) {
    Buffer bytes = whole.clone();
    for (int i = 0; i < 12; ++i)
      bytes.data()[bytes.size() / 3 + random() % (bytes.size() * 2 / 3)] ^= std::byte{1} << (random() % 8);
    write_file_once(file("bad.mkv"), bytes.bytes());
    VideoReaderConfig config;
    config.path = file("bad.mkv");
    config.num_threads = 4;
    const Decoded first = decode(config);
    for (int run = 0; run < 6; ++run) ASSERT_EQ(decode(config).hashes, first.hashes) << clip;
    fs::remove(file("bad.mkv"));
  }
}

/// A file that ends early gives the frames that ffprobe finds, twice the same.
TEST_F(DamageTest, CutFiles) {
  for (const Kind& kind :
       std::initializer_list<Kind>{{"a.mp4", "-c:v libx264 -bf 3 -g 24 -movflags +faststart"},
                                   {"a.mkv", "-c:v libx264 -bf 3 -g 24"},
                                   {"a.ts", "-c:v mpeg2video -bf 2"}}) {
    SCOPED_TRACE(kind.file);
    ffmpeg(std::string("-f lavfi -i testsrc2=s=160x120:r=25:d=3 ") + kind.options + " " + quoted(kind.file));
    fs::resize_file(file(kind.file), fs::file_size(file(kind.file)) * 6 / 10);
    const Decoded first = decode(file(kind.file));
    expect_times(first.pts, ffprobe_pts(file(kind.file)));
    EXPECT_LT(first.pts.size(), 75U);
    EXPECT_EQ(decode(file(kind.file)).hashes, first.hashes);
    // Matroska and transport streams do not say how long they should be.
    if (std::string(kind.file) == "a.mp4") {
      EXPECT_GT(first.damage.num_errors, 0);
    }
  }
}

TEST_F(DamageTest, AVideoWithoutADecodableFrameIsBadInput) {
  ffmpeg("-f lavfi -i testsrc2=s=160x120:r=25:d=1 -c:v libx264 -g 100 -movflags +faststart " +
         quoted("a.mp4"));
  Buffer bytes = read_file(file("a.mp4"));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t samples = text.find("mdat") + 4;
  ASSERT_LT(samples, bytes.size());
  std::fill(bytes.data() + samples, bytes.data() + bytes.size(), std::byte{0});
  write_file_once(file("a.mp4"), bytes.bytes());
  EXPECT_THROW(decode(file("a.mp4")), UsageError);
}

}  // namespace
}  // namespace atelier::media
