// Chunks of packets, each decoded by itself, give the frames of a VideoReader: samples, times, fields and
// side data, exactly.
#include "packet_chunks.h"

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
        Clip{"vp8_hidden_frames", "a.webm",
             "-c:v libvpx -deadline realtime -cpu-used 8 -g 30 -auto-alt-ref 1 -lag-in-frames 16 -b:v 200k"},
        Clip{"mpeg2_transport_stream", "a.ts", "-c:v mpeg2video -g 12 -bf 2 -q:v 4"},
        Clip{"mpeg2_interlaced", "a.mkv", "-c:v mpeg2video -g 12 -bf 2 -flags +ildct+ilme -top 1 -q:v 4"},
        Clip{"ffv1_with_keyframes", "a.mkv", "-c:v ffv1 -g 10"},
        Clip{"ffv1_intra", "a.mkv", "-c:v ffv1 -g 1 -level 3"}, Clip{"mjpeg", "a.mov", "-c:v mjpeg -q:v 3"},
        Clip{"prores", "a.mov", "-c:v prores_ks -pix_fmt yuv422p10le"}),
    [](const auto& clip) { return std::string(clip.param.name); });

}  // namespace
}  // namespace atelier::media
