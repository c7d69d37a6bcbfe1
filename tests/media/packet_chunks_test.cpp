// Chunks of packets, each decoded by itself, give the frames of a VideoReader: samples, times, fields and
// side data, exactly.
#include "packet_chunks.h"

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "ffmpeg_tools.h"

namespace atelier::media {
namespace {

using test_support::ByPackets;
using test_support::decode_by_packets;
using test_support::decode_whole;
using test_support::expect_same_start;

struct Clip {
  const char* name;
  const char* file;
  const char* options;  ///< of ffmpeg, after the source
};

/// A moving picture with cuts, so that there is something to predict.
constexpr const char* source =
    "-f lavfi -i testsrc2=s=96x64:r=25:d=6 -f lavfi -i mandelbrot=s=96x64:r=25 "
    "-filter_complex [0][1]blend=all_mode=average:shortest=1,format=yuv420p ";

void PrintTo(const Clip& clip, std::ostream* out) {
  *out << clip.name;
}

class EveryFrame : public testing::TestWithParam<Clip> {};

TEST_P(EveryFrame, IsThatOfTheWholeVideo) {
  const TemporaryFolder folder("atelier-packets-test");
  VideoReaderConfig config;
  config.path = folder.path() / GetParam().file;
  test::ffmpeg(concat(source, GetParam().options, " ", config.path.string()));
  const auto whole = decode_whole(config);
  ASSERT_GT(whole.size(), 100U);
  for (const std::int64_t chunk_frames : {1, 7, 48, 1000}) {
    const ByPackets ours = decode_by_packets(config, chunk_frames);
    EXPECT_EQ(ours.obstacle, "");
    EXPECT_EQ(ours.fault, "");
    EXPECT_EQ(ours.frames.size(), whole.size());
    expect_same_start(ours.frames, whole);
    const auto length = static_cast<std::int64_t>(whole.size());
    EXPECT_EQ(ours.num_chunks, (length + chunk_frames - 1) / chunk_frames);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Packets, EveryFrame,
    testing::Values(
        Clip{"b_frames", "a.mp4", "-c:v libx264 -preset veryfast -g 20 -bf 3"},
        Clip{"b_pyramid", "a.mkv",
             "-c:v libx264 -preset medium -g 25 -bf 8 -x264-params b-pyramid=normal:b-adapt=0"},
        Clip{"open_gop", "a.mp4",
             "-c:v libx264 -g 15 -bf 4 -x264-params open-gop=1:b-adapt=0:b-pyramid=normal"},
        Clip{"transport_stream", "a.ts", "-c:v libx264 -g 15 -bf 3 -x264-params open-gop=1"},
        Clip{"long_gop", "a.mp4", "-c:v libx264 -g 300 -bf 3"},
        Clip{"every_frame_a_key", "a.mp4", "-c:v libx264 -g 1"},
        Clip{"hevc_open_gop", "a.mp4",
             "-c:v libx265 -preset veryfast -x265-params "
             "keyint=15:open-gop=1:bframes=4:b-adapt=0:log-level=none"},
        Clip{"hevc_closed_gop", "a.mkv",
             "-c:v libx265 -preset veryfast -x265-params keyint=20:open-gop=0:log-level=none"},
        Clip{"vp9_hidden_frames", "a.webm",
             "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 30 -auto-alt-ref 1 -lag-in-frames 16 -b:v "
             "200k"},
        Clip{"av1", "a.mkv", "-c:v libaom-av1 -usage realtime -cpu-used 8 -g 30 -t 5"},
        Clip{"vp8_hidden_frames", "a.webm",
             "-c:v libvpx -deadline realtime -cpu-used 8 -g 30 -auto-alt-ref 1 -lag-in-frames 16 -b:v 200k"},
        Clip{"mpeg2_transport_stream", "a.ts", "-c:v mpeg2video -g 12 -bf 2 -q:v 4"},
        Clip{"mpeg2_interlaced", "a.mkv", "-c:v mpeg2video -g 12 -bf 2 -flags +ildct+ilme -top 1 -q:v 4"},
        Clip{"ffv1_with_keyframes", "a.mkv", "-c:v ffv1 -g 10"},
        Clip{"ffv1_intra", "a.mkv", "-c:v ffv1 -g 1 -level 3"}, Clip{"mjpeg", "a.mov", "-c:v mjpeg -q:v 3"},
        Clip{"prores", "a.mov", "-c:v prores_ks -pix_fmt yuv422p10le"}),
    [](const auto& clip) { return std::string(clip.param.name); });

/// What packets do not tell: it is said before anything wrong is given.
class OddVideo : public testing::TestWithParam<Clip> {};

TEST_P(OddVideo, IsLeftToTheRoot) {
  const TemporaryFolder folder("atelier-packets-test");
  VideoReaderConfig config;
  config.path = folder.path() / GetParam().file;
  test::ffmpeg(concat(source, GetParam().options, " ", config.path.string()));
  const auto whole = decode_whole(config);
  ASSERT_GT(whole.size(), 100U);
  for (const std::int64_t chunk_frames : {1, 5, 48}) {
    const ByPackets ours = decode_by_packets(config, chunk_frames);
    EXPECT_NE(ours.obstacle + ours.fault, "");
    expect_same_start(ours.frames, whole);
  }
}

INSTANTIATE_TEST_SUITE_P(Packets, OddVideo,
                         testing::Values(Clip{"no_times", "a.h264", "-c:v libx264 -g 20"},
                                         Clip{"mpeg4", "a.avi", "-c:v mpeg4 -bf 2 -g 20"},
                                         Clip{"interlaced", "a.mp4",
                                              "-c:v libx264 -g 20 -flags +ildct+ilme -x264-params tff=1"},
                                         Clip{"interlaced_transport_stream", "a.ts",
                                              "-c:v libx264 -g 20 -flags +ildct+ilme -x264-params tff=1"},
                                         Clip{"raw", "a.mkv", "-c:v rawvideo"}),
                         [](const auto& clip) { return std::string(clip.param.name); });

class PacketChunks : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return folder_.path() / name; }

  /// Both ways agree as far as packets tell. What they told.
  static ByPackets check(const VideoReaderConfig& config, std::int64_t chunk_frames = 12) {
    const auto whole = decode_whole(config);
    const ByPackets ours = decode_by_packets(config, chunk_frames);
    expect_same_start(ours.frames, whole);
    if (ours.obstacle.empty() && ours.fault.empty()) {
      EXPECT_EQ(ours.frames.size(), whole.size());
    }
    return ours;
  }
  static void expect_whole(const ByPackets& ours) {
    EXPECT_EQ(ours.obstacle, "");
    EXPECT_EQ(ours.fault, "");
    EXPECT_GT(ours.frames.size(), 0U);
  }

  TemporaryFolder folder_{"atelier-packets-test"};
};

/// No keyframe but the first: every chunk begins there, or nothing is said.
TEST_F(PacketChunks, OfIntraRefresh) {
  test::ffmpeg(
      concat(source, "-c:v libx264 -bf 0 -g 50 -x264-params intra-refresh=1 ", file("a.mp4").string()));
  const ByPackets ours = check({.path = file("a.mp4")});
  expect_whole(ours);
  EXPECT_GT(ours.num_decoded, 5 * static_cast<std::int64_t>(ours.frames.size()));
}

/// No decoder begins a thousand frames before a chunk.
TEST_F(PacketChunks, EndFarBehindAKeyframe) {
  test::ffmpeg(
      concat("-f lavfi -i testsrc2=s=32x32:r=25:d=50 -pix_fmt yuv420p -c:v libx264 -preset ultrafast "
             "-g 9999 -sc_threshold 0 ",
             file("a.mp4").string()));
  PacketReader reader({.path = file("a.mp4"), .chunk_frames = 100});
  std::int64_t num_frames = 0;
  while (const auto chunk = reader.read()) {
    num_frames = chunk->chunk.end_frame;
    EXPECT_LE(chunk->num_decoded_frames, 1100);
  }
  EXPECT_EQ(num_frames, 1100);
  EXPECT_EQ(reader.obstacle(), "its keyframes are too far apart");
}

TEST_F(PacketChunks, OfAVariableRate) {
  test::ffmpeg(
      concat("-f lavfi -i testsrc2=s=96x64:r=25:d=6 -pix_fmt yuv420p "
             "-vf \"select=not(mod(n\\\\,7))+not(mod(n\\\\,3))\" -fps_mode vfr -c:v libx264 -g 20 -bf 3 ",
             file("a.mp4").string()));
  const ByPackets ours = check({.path = file("a.mp4")});
  expect_whole(ours);
  EXPECT_LT(ours.frames.size(), 75U);
}

/// The container begins midway in a group of pictures, and hides what comes before.
TEST_F(PacketChunks, OfAnEditList) {
  test::ffmpeg(concat(source, "-c:v libx264 -g 40 -bf 3 ", file("all.mp4").string()));
  test::ffmpeg(concat("-ss 1.0 -i ", file("all.mp4").string(), " -c copy ", file("a.mp4").string()));
  const ByPackets ours = check({.path = file("a.mp4")});
  expect_whole(ours);
  EXPECT_LT(ours.frames.size(), 130U);
}

TEST_F(PacketChunks, OfAPartAndAnotherHeight) {
  test::ffmpeg(concat(source, "-c:v libx264 -g 25 -bf 3 -x264-params open-gop=1 ", file("a.mp4").string()));
  test::ffmpeg(concat("-i ", file("a.mp4").string(), " -c copy ", file("a.ts").string()));
  for (const char* name : {"a.mp4", "a.ts"}) {
    for (const double start_s : {0.0, 0.5, 1.7, 4.0}) {
      const ByPackets ours =
          check({.path = file(name), .height_px = 48, .start_s = start_s, .duration_s = 1.5});
      expect_whole(ours);
      EXPECT_GE(ours.frames.size(), 36U);
      EXPECT_LE(ours.frames.size(), 38U);
    }
  }
}

TEST_F(PacketChunks, OfAFolderOfPictures) {
  for (const char* ending : {"png", "jpg"}) {
    const std::filesystem::path folder = file(ending);
    std::filesystem::create_directory(folder);
    test::ffmpeg(concat(source, "-t 1 ", folder.string(), "/%03d.", ending));
    const ByPackets ours = check({.path = folder}, 4);
    expect_whole(ours);
    EXPECT_EQ(ours.num_decoded, 25);
  }
}

TEST_F(PacketChunks, EndWhereTheSizeChanges) {
  for (const char* size : {"96x64", "64x48"})
    test::ffmpeg(concat("-f lavfi -i testsrc2=s=", size, ":r=25:d=3 -pix_fmt yuv420p -c:v libx264 -g 20 ",
                        file(concat(size, ".ts")).string()));
  const std::string both = concat("cat ", file("96x64.ts").string(), " ", file("64x48.ts").string(), " > ",
                                  file("both.ts").string());
  ASSERT_EQ(test::run_command(both).exit_code, 0);
  const ByPackets ours = check({.path = file("both.ts")});
  EXPECT_NE(ours.obstacle + ours.fault, "");
  EXPECT_GE(ours.frames.size(), 24U);
}

/// Nothing wrong is given of a video with damage at any place.
TEST_F(PacketChunks, NeverTrustDamage) {
  test::ffmpeg(concat(source, "-c:v libx264 -g 20 -bf 3 -b:v 400k ", file("whole.mp4").string()));
  test::ffmpeg(concat(source, "-c:v mpeg2video -g 12 -bf 2 -b:v 600k ", file("whole.ts").string()));
  test::ffmpeg(concat(source, "-c:v libx265 -b:v 300k -x265-params keyint=20:log-level=none ",
                      file("whole.mkv").string()));
  int num_faults = 0;
  for (const char* name : {"whole.mp4", "whole.ts", "whole.mkv"}) {
    const Buffer sound = read_file(file(name));
    for (int place = 1; place < 8; ++place) {
      Buffer bytes = sound.clone();
      const std::size_t at = bytes.size() * static_cast<std::size_t>(place) / 9;
      for (std::size_t i = 0; i < 24; ++i) bytes.data()[at + i] ^= std::byte{0x5A};
      const std::filesystem::path bad = file(concat("bad", place, "-", name));
      write_file_once(bad, bytes.bytes());
      SCOPED_TRACE(bad.filename().string());
      const ByPackets ours = check({.path = bad});
      num_faults += ours.obstacle.empty() && ours.fault.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(num_faults, 10);
}

TEST_F(PacketChunks, OfRealClips) {
  for (const char* name : {"bunny_cut.mp4", "nasa_13013.mp4", "h265_10bits.mp4", "bt709_full_range.mp4"}) {
    const std::filesystem::path clip = test::shared_clip(name);
    if (!std::filesystem::exists(clip)) GTEST_SKIP() << "no clip at " << clip;
    SCOPED_TRACE(name);
    const ByPackets ours = check({.path = clip, .duration_s = 4}, 24);
    expect_whole(ours);
  }
}

/// The hash of a chunk tells another input, and nothing else.
TEST_F(PacketChunks, HaveAHashOfTheirPackets) {
  test::ffmpeg(concat(source, "-c:v ffv1 -g 1 ", file("a.mkv").string()));
  const ByPackets once = check({.path = file("a.mkv")});
  EXPECT_EQ(check({.path = file("a.mkv")}).hashes, once.hashes);
  Buffer bytes = read_file(file("a.mkv"));
  bytes.data()[bytes.size() / 2] ^= std::byte{1};
  write_file_once(file("b.mkv"), bytes.bytes());
  PacketReader reader({.path = file("b.mkv"), .chunk_frames = 12});
  std::size_t num_other = 0;
  for (const std::uint64_t hash : once.hashes) {
    const auto chunk = reader.read();
    if (!chunk || chunk->hash != hash) ++num_other;
  }
  EXPECT_EQ(num_other, 1U);
}

TEST_F(PacketChunks, AreRefusedWhenTheyAreCut) {
  test::ffmpeg(concat(source, "-t 1 -c:v ffv1 -g 1 ", file("a.mkv").string()));
  const VideoReader video({.path = file("a.mkv")});
  PacketReader reader({.path = file("a.mkv"), .chunk_frames = 5});
  const Buffer setup = pack(reader.decoder_setup(video.info()));
  const auto chunk = reader.read();
  ASSERT_TRUE(chunk);
  for (std::size_t size = 0; size < setup.size(); ++size)
    EXPECT_THROW(unpack_decoder_setup(setup.bytes().first(size)), JobError) << size;
  for (std::size_t size = 0; size < chunk->bytes.size(); size += 97)
    EXPECT_THROW(unpack_packet_chunk(chunk->bytes.bytes().first(size)), JobError) << size;
  EXPECT_EQ(unpack_packet_chunk(chunk->bytes.bytes()).pts_ticks, chunk->pts_ticks);
}

}  // namespace
}  // namespace atelier::media
