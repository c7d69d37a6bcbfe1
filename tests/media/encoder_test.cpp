#include "atelier/media/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>

#include "atelier/base/error.h"
#include "atelier/media/muxer.h"
#include "atelier/media/video_reader.h"
#include "frame_filler.h"
#include "media/transcode.h"
#include "side_data.h"

namespace atelier::media {
namespace {
using testing::HasSubstr;

InputInfo info_64x48() {
  InputInfo info;
  info.format.width_px = 64;
  info.format.height_px = 48;
  info.format.pixel_format = "yuv420p";
  info.time_base = {1, 12800};
  info.frame_rate = {25, 1};
  return info;
}

/// A moving gradient, so that encoders have something to reorder.
FramePlanes frame_of(const VideoFormat& format, std::int64_t index, std::int64_t pts) {
  FramePlanes frame;
  frame.info.frame_index = index;
  frame.info.pts_ticks = pts;
  frame.planes = Buffer(frame_bytes(format));
  for (std::size_t i = 0; i < frame.planes.size(); ++i)
    frame.planes.data()[i] =
        static_cast<std::byte>((i * 7 + static_cast<std::size_t>(index) * 13) % 200 + 20);
  return frame;
}

EncoderConfig resolve(const EncodeRequest& request, const std::string& output = "out.mkv",
                      const InputInfo& info = info_64x48()) {
  quiet_libraries();
  std::vector<std::string> warnings;
  return resolve_encoder(request, info, output, warnings);
}

std::string refusal(const EncodeRequest& request, const std::string& output = "out.mkv") {
  try {
    resolve(request, output);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no UsageError";
}

EncodeRequest request_of(const std::string& codec, const std::string& preset = "",
                         const std::vector<std::pair<std::string, std::string>>& options = {}) {
  return {.codec = codec, .preset = preset, .crf = {}, .options = options, .pixel_format = ""};
}

// Encoders are opened in threads, where nobody may change the environment.
TEST(Encoder, EnvironmentIsSetBeforeAnyIsOpened) {
  ASSERT_NE(std::getenv("SVT_LOG"), nullptr);
  EXPECT_STREQ(std::getenv("SVT_LOG"), "1");
}

TEST(ResolveEncoder, ChoosesByContainer) {
  EXPECT_EQ(resolve(request_of(""), "out.webm").encoder, "libvpx-vp9");
  EXPECT_EQ(resolve(request_of(""), "out.mp4").encoder, "libx264");
  EXPECT_EQ(resolve(request_of(""), "out.mkv").encoder, "libx264");
  EXPECT_EQ(resolve(request_of("ffv1")).encoder, "ffv1");
}

TEST(ResolveEncoder, RefusesWhatCannotBe) {
  EXPECT_THAT(refusal(request_of("nosuch")), HasSubstr("codec 'nosuch' is unknown"));
  EXPECT_THAT(refusal(request_of("aac")), HasSubstr("no video codec"));
  EXPECT_THAT(refusal(request_of("x264"), "out.webm"), HasSubstr("WebM cannot hold h264"));
  EXPECT_THAT(refusal(request_of("ffv1"), "out.mp4"), HasSubstr("MP4 cannot hold ffv1"));
  EXPECT_THAT(refusal(request_of("x264"), "out.xyz"), HasSubstr("no container is known"));
  EXPECT_THAT(refusal(request_of("x264"), "out"), HasSubstr("it has no ending"));
  EXPECT_THAT(refusal(request_of("x264"), "out.png"), HasSubstr("is no video file"));
  EXPECT_THAT(refusal(request_of("x264", "quick")), HasSubstr("no preset 'quick'"));
  EXPECT_THAT(refusal(request_of("ffv1", "fast")), HasSubstr("no preset 'fast'"));
  EXPECT_THAT(refusal(request_of("x264", "", {{"nosuch", "1"}})), HasSubstr("nosuch"));
  EXPECT_THAT(refusal(request_of("x264", "", {{"bframes", "many"}})), HasSubstr("bframes"));
  EXPECT_THAT(refusal(request_of("x265", "", {{"nosuch", "1"}})), HasSubstr("nosuch"));
  EXPECT_THAT(refusal(request_of("ffv1", "", {{"nosuch", "1"}})), HasSubstr("no option 'nosuch'"));
  EXPECT_THAT(refusal(request_of("x264", "", {{"tune", "nosuch"}})), HasSubstr("nosuch"));
  EncodeRequest odd_format = request_of("x264");
  odd_format.pixel_format = "nosuch";
  EXPECT_THAT(refusal(odd_format), HasSubstr("no pixel format 'nosuch'"));
}

TEST(SegmentEncoder, GivesOnePacketAFrameWithItsOwnTime) {
  for (const std::string codec : {"x264", "x265", "vp9", "ffv1", "mpeg4", "mpeg2"}) {
    const EncoderConfig config = resolve(request_of(codec));
    SegmentEncoder encoder(config, 3, 100);
    std::vector<std::int64_t> pts;
    for (std::int64_t i = 0; i < 20; ++i) {
      pts.push_back(1000 + i * i * 37);  // variable rate
      encoder.write(frame_of(config.input, 100 + i, pts.back()));
    }
    const Segment segment = encoder.finish();
    EXPECT_EQ(segment.chunk_index, 3);
    EXPECT_EQ(segment.first_frame, 100);
    EXPECT_GT(segment.encode_s, 0);
    ASSERT_EQ(segment.packets.size(), pts.size()) << codec;
    EXPECT_TRUE(segment.packets.front().key) << codec;
    std::vector<std::int64_t> seen;
    for (const SegmentPacket& packet : segment.packets) seen.push_back(packet.pts_ticks);
    EXPECT_THAT(seen, testing::UnorderedElementsAreArray(pts)) << codec;
    if (codec.starts_with("x26")) {
      EXPECT_EQ(config.reorder_frames, 2) << codec;
    }
  }
}

struct PixelCase {
  std::string source;  ///< FFmpeg's pixel format of the clip
  std::string size;    ///< WIDTHxHEIGHT
  std::string codec;
  std::vector<std::pair<std::string, std::string>> options;  ///< that make it lossless
  std::string expected;                                      ///< the encoder's pixel format
};

void PrintTo(const PixelCase& c, std::ostream* out) {
  *out << c.codec << ' ' << c.source << ' ' << c.size;
}

class LosslessPixels : public testing::TestWithParam<PixelCase> {};

/// Exact: no sample may differ after a lossless encode in the source's own layout.
TEST_P(LosslessPixels, ComeBackExactly) {
  const PixelCase& c = GetParam();
  const TemporaryFolder folder;
  const std::filesystem::path clip = folder.path() / "in.nut";
  const std::filesystem::path out = folder.path() / "out.mkv";
  test::ffmpeg("-f lavfi -i testsrc2=size=" + c.size + ":rate=25:duration=0.24 -vf format=rgba,format=" +
               c.source + " -c:v rawvideo " + clip.string());
  test::TranscodeSettings settings;
  settings.chunk_frames = 4;
  settings.request = request_of(c.codec, "", c.options);
  const test::Transcoded done = test::transcode(clip, out, settings);
  EXPECT_EQ(done.encoder.pixel_format, c.expected);
  const std::vector<std::string> frames = test::frame_hashes(clip, "v:0", c.source);
  ASSERT_EQ(frames.size(), 6U);
  EXPECT_EQ(test::frame_hashes(out, "v:0", c.source), frames);
  EXPECT_EQ(test::complaints(out), "");
}

INSTANTIATE_TEST_SUITE_P(
    Formats, LosslessPixels,
    testing::Values(PixelCase{"yuv420p", "65x49", "ffv1", {}, "yuv420p"},
                    PixelCase{"yuv422p10le", "66x50", "ffv1", {}, "yuv422p10le"},
                    PixelCase{"yuv444p12le", "66x50", "ffv1", {}, "yuv444p12le"},
                    PixelCase{"yuv420p16le", "65x49", "ffv1", {}, "yuv420p16le"},
                    PixelCase{"gray", "65x49", "ffv1", {}, "gray"},
                    PixelCase{"gray16le", "66x50", "ffv1", {}, "gray16le"},
                    PixelCase{"rgb24", "65x49", "ffv1", {}, "bgr0"},
                    PixelCase{"gbrp10le", "66x50", "ffv1", {}, "gbrp10le"},
                    PixelCase{"gbrap16le", "66x50", "ffv1", {}, "gbrap16le"},
                    PixelCase{"yuva420p", "66x50", "ffv1", {}, "yuva420p"},
                    PixelCase{"yuv420p", "66x50", "x264", {{"qp", "0"}}, "yuv420p"},
                    PixelCase{"yuv422p10le", "66x50", "x264", {{"qp", "0"}}, "yuv422p10le"},
                    PixelCase{"gray", "66x50", "x264", {{"qp", "0"}}, "gray"},
                    PixelCase{"gray10le", "66x50", "x264", {{"qp", "0"}}, "gray10le"},
                    PixelCase{"rgb24", "66x50", "x264", {{"qp", "0"}}, "bgr24"},
                    PixelCase{"yuv420p10le", "66x50", "x265", {{"lossless", "1"}}, "yuv420p10le"},
                    PixelCase{"gbrp", "66x50", "x265", {{"lossless", "1"}}, "gbrp"},
                    PixelCase{"gray12le", "66x50", "x265", {{"lossless", "1"}}, "gray12le"},
                    PixelCase{"yuv420p", "65x49", "vp9", {{"lossless", "1"}}, "yuv420p"},
                    PixelCase{"yuv444p10le", "66x50", "vp9", {{"lossless", "1"}}, "yuv444p10le"}));

TEST(ResolveEncoder, NamesWhatIsLost) {
  InputInfo info = info_64x48();
  const auto warnings_of = [&](const std::string& codec) {
    std::vector<std::string> warnings;
    const EncoderConfig config = resolve_encoder(request_of(codec), info, "out.mkv", warnings);
    return concat(config.pixel_format, ": ", join(warnings, "|"));
  };
  EXPECT_EQ(warnings_of("x264"), "yuv420p: ");
  info.format.width_px = 65;
  EXPECT_EQ(warnings_of("x264"), "yuv444p: Encoder libx264 has no yuv420p of 65x48; yuv444p is used.");
  EXPECT_EQ(warnings_of("vp9"), "yuv420p: ");
  info = info_64x48();
  info.format.bit_depth = 16;
  EXPECT_EQ(warnings_of("x264"),
            "yuv420p10le: Encoder libx264 has no yuv420p16le; yuv420p10le is used (16 bit become 10).");
  info.format.bit_depth = 8;
  info.format.has_alpha = true;
  EXPECT_EQ(warnings_of("x264"),
            "yuv420p: Encoder libx264 has no yuva420p; yuv420p is used (transparency is dropped).");
  EXPECT_EQ(warnings_of("vp9"), "yuva420p: ");
}

/// One row of chroma as the encoder gets it; chroma rises by 2 codes a luma sample.
std::vector<int> chroma_row(const VideoFormat& format, const std::string& pixel_format) {
  EncoderConfig config;
  config.encoder = "libx264";
  config.input = format;
  config.pixel_format = pixel_format;
  FramePlanes frame;
  frame.planes = Buffer(frame_bytes(format));
  for (int plane = 0; plane < 3; ++plane)
    for (int i = 0; i < format.width_px * format.height_px; ++i)
      frame.planes.data()[plane_offset_bytes(format, plane) + static_cast<std::size_t>(i)] =
          static_cast<std::byte>(plane == 0 ? 120 : 60 + 2 * (i % format.width_px));
  const FramePtr filled = FrameFiller(config).fill(frame);
  return {filled->data[1], filled->data[1] + format.width_px / 2};
}

/// Another pixel format for the encoder changes neither the matrix, named or not, nor the chroma's place.
/// Tolerance: exact but for the borders, where the ramp ends.
TEST(FrameFiller, KeepsMatrixAndSiting) {
  VideoFormat format;
  format.width_px = 64;
  format.height_px = 16;
  format.log2_chroma_w = format.log2_chroma_h = 0;
  format.matrix_coefficients = AVCOL_SPC_SMPTE170M;
  format.pixel_format = "yuv444p";
  for (const ChromaSiting siting : {ChromaSiting::left, ChromaSiting::center}) {
    format.siting = siting;
    const std::vector<int> row = chroma_row(format, "yuv420p");
    for (std::size_t x = 4; x + 4 < row.size(); ++x)
      EXPECT_EQ(row[x], 60 + 4 * static_cast<int>(x) + (siting == ChromaSiting::center ? 1 : 0)) << x;
  }
}

/// Captions of the frame, or nothing.
std::vector<std::byte> captions_of(const FrameInfo& info) {
  for (const SideDataEntry& entry : unpack_entries(info.side_data))
    if (entry.type == AV_FRAME_DATA_A53_CC) return entry.data;
  return {};
}

TEST(SegmentEncoder, CarriesCaptionsWithTheirFrames) {
  for (const std::string codec : {"x264", "x265"}) {
    const TemporaryFolder folder;
    const std::filesystem::path clip = folder.path() / "in.mkv";
    const std::filesystem::path out = folder.path() / "out.mp4";
    test::ffmpeg("-f lavfi -i testsrc2=size=64x48:rate=25:duration=0.8 -c:v ffv1 " + clip.string());
    VideoReader reader({.path = clip});
    MuxerConfig config;
    config.output = out;
    config.scratch = folder.path();
    config.start_id = "test";
    config.input = reader.info();
    config.encoder = resolve(request_of(codec), "out.mp4", reader.info());
    Muxer muxer(config);
    const auto caption = [](std::int64_t frame) {
      return std::vector<std::byte>{std::byte{0xFC}, std::byte{0}, std::byte{0},
                                    std::byte{0xFC}, std::byte{1}, static_cast<std::byte>(frame)};
    };
    for (std::int64_t chunk = 0; chunk < 2; ++chunk) {
      SegmentEncoder encoder(config.encoder, chunk, chunk * 10);
      for (int k = 0; k < 10; ++k) {
        FramePlanes frame = *reader.read();
        frame.info.side_data = pack_entries({{AV_FRAME_DATA_A53_CC, caption(frame.info.frame_index)}});
        encoder.write(frame);
      }
      muxer.write(encoder.finish());
    }
    muxer.close();
    VideoReader seen({.path = out});
    std::int64_t index = 0;
    for (; const std::optional<FramePlanes> frame = seen.read(); ++index)
      EXPECT_EQ(captions_of(frame->info), caption(index)) << codec << " frame " << index;
    EXPECT_EQ(index, 20) << codec;
    EXPECT_EQ(test::complaints(out), "") << codec;
  }
}

TEST(SegmentEncoder, KeepsFieldsAndHdr) {
  const TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return folder.path() / name; };
  test::ffmpeg(
      "-f lavfi -i testsrc2=size=64x64:rate=50:duration=0.4 -vf interlace=scan=bff,format=yuv420p -c:v "
      "libx264 "
      "-x264-params bff=1 -flags +ildct+ilme -field_order bb " +
      path("fields.mkv").string());
  test::transcode(path("fields.mkv"), path("fields_out.mkv"));
  const std::string fields = "frame=interlaced_frame,top_field_first";
  EXPECT_EQ(test::stream_entries(path("fields_out.mkv"), "v:0", fields),
            test::stream_entries(path("fields.mkv"), "v:0", fields));
  EXPECT_EQ(test::stream_entries(path("fields_out.mkv"), "v:0", "stream=field_order"),
            test::stream_entries(path("fields.mkv"), "v:0", "stream=field_order"));

  test::ffmpeg(
      "-f lavfi -i testsrc2=size=64x64:rate=25:duration=0.2 -vf format=yuv420p10le -c:v libx265 "
      "-color_primaries bt2020 "
      "-color_trc smpte2084 -colorspace bt2020nc -x265-params \"log-level=none:hdr10=1:max-cll=1000,400:"
      "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)\" " +
      path("hdr.mp4").string());
  test::TranscodeSettings settings;
  settings.request = request_of("x265");
  test::transcode(path("hdr.mp4"), path("hdr_out.mp4"), settings);
  const std::string colour =
      "stream=pix_fmt,color_range,color_space,color_transfer,color_primaries,chroma_location";
  EXPECT_EQ(test::stream_entries(path("hdr_out.mp4"), "v:0", colour),
            test::stream_entries(path("hdr.mp4"), "v:0", colour));
  const std::string light = "frame_side_data=red_x,max_luminance,max_content,max_average";
  EXPECT_THAT(test::stream_entries(path("hdr.mp4"), "v:0", light), HasSubstr("max_content=1000"));
  EXPECT_EQ(test::stream_entries(path("hdr_out.mp4"), "v:0", light),
            test::stream_entries(path("hdr.mp4"), "v:0", light));
  EXPECT_EQ(test::stream_entries(path("hdr_out.mp4"), "v:0", "stream=codec_tag_string"),
            "codec_tag_string=hvc1");
}

TEST(SegmentEncoder, GivesTheSameBytesTwice) {
  for (const std::string codec : {"x264", "x265", "vp9", "ffv1"}) {
    const EncoderConfig config = resolve(request_of(codec));
    std::vector<Segment> runs;
    for (int run = 0; run < 2; ++run) {
      SegmentEncoder encoder(config, 0, 0);
      for (std::int64_t i = 0; i < 30; ++i) encoder.write(frame_of(config.input, i, i * 512));
      runs.push_back(encoder.finish());
    }
    EXPECT_EQ(runs[0].extradata, runs[1].extradata) << codec;
    ASSERT_EQ(runs[0].packets.size(), runs[1].packets.size());
    for (std::size_t k = 0; k < runs[0].packets.size(); ++k)
      EXPECT_EQ(runs[0].packets[k].data, runs[1].packets[k].data) << codec << " packet " << k;
  }
}

}  // namespace
}  // namespace atelier::media
