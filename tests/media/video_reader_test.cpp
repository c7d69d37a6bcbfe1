#include "atelier/media/video_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "atelier/base/error.h"
#include "atelier/base/hash.h"
#include "media/decoded.h"
#include "media/ffmpeg_tools.h"
#include "side_data.h"

namespace atelier::media {
namespace {
namespace fs = std::filesystem;
using test::ffmpeg;
using test::ffprobe_pts;
using test::shared_clip;
using test_support::decode;
using test_support::Decoded;
using test_support::expect_times;
using test_support::Kind;

/// A planar format of FFmpeg with the planes of ours (its RGB comes as G, B, R).
std::string planar_name(const VideoFormat& format) {
  if (format.pixel_format.starts_with("yuvj")) return format.pixel_format;
  static const char* const subsampling[3][3] = {{"444", "440", ""}, {"422", "420", ""}, {"411", "", "410"}};
  std::string name = format.model == ColorModel::gray ? "gray"
                     : format.model == ColorModel::rgb
                         ? (format.has_alpha ? "gbrap" : "gbrp")
                         : concat(format.has_alpha ? "yuva" : "yuv",
                                  subsampling[format.log2_chroma_w][format.log2_chroma_h], "p");
  if (format.bit_depth > 8) name += concat(format.bit_depth, "le");
  return name;
}

/// Frames as ffmpeg itself decodes and repacks them.
std::vector<Buffer> ffmpeg_frames(const fs::path& input, int stream, const VideoFormat& format,
                                  const fs::path& raw) {
  ffmpeg("-noautorotate -flags bitexact -i \"" + input.string() + "\" -map 0:" + std::to_string(stream) +
         " -vsync passthrough -sws_flags bitexact+accurate_rnd+full_chroma_int -f rawvideo "
         "-pix_fmt " +
         planar_name(format) + " \"" + raw.string() + "\"");
  const Buffer bytes = read_file(raw);
  std::vector<Buffer> frames;
  const std::size_t size = frame_bytes(format);
  EXPECT_EQ(bytes.size() % size, 0U);
  for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
    Buffer frame(bytes.bytes().subspan(at, size));
    if (format.model == ColorModel::rgb) {
      const std::size_t plane = plane_bytes(format, 0);
      std::rotate(frame.data(), frame.data() + 2 * plane, frame.data() + 3 * plane);  // G, B, R to R, G, B
    }
    frames.push_back(std::move(frame));
  }
  return frames;
}

/// The largest difference between samples of two frames, in code values.
int largest_difference(const Buffer& a, const Buffer& b, const VideoFormat& format) {
  int largest = 0;
  const bool wide = bytes_per_sample(format) == 2;
  const std::size_t step = wide ? 2 : 1;
  for (std::size_t i = 0; i + step <= std::min(a.size(), b.size()); i += step) {
    const auto value = [&](const Buffer& buffer) {
      return std::to_integer<int>(buffer.data()[i]) |
             (wide ? std::to_integer<int>(buffer.data()[i + 1]) << 8 : 0);
    };
    largest = std::max(largest, std::abs(value(a) - value(b)));
  }
  return largest;
}

class VideoReaderTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path file(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] std::string quoted(const std::string& name) const {
    return "\"" + file(name).string() + "\"";
  }

  /// Decodes and compares with ffprobe's times and ffmpeg's samples.
  Decoded expect_same_as_ffmpeg(const fs::path& clip, int tolerance = 0) const {
    SCOPED_TRACE(clip.filename().string());
    Decoded ours = decode(clip);
    expect_times(ours.pts, ffprobe_pts(clip, std::to_string(ours.info.stream_index)));
    EXPECT_EQ(ours.damage.num_errors, 0) << ours.damage.first_problem;
    EXPECT_EQ(ours.num_rescaled, 0);
    const std::vector<Buffer> want =
        ffmpeg_frames(clip, ours.info.stream_index, ours.info.format, file("raw"));
    EXPECT_EQ(ours.planes.size(), want.size());
    int largest = 0;
    for (std::size_t i = 0; i < std::min(want.size(), ours.planes.size()); ++i)
      largest = std::max(largest, largest_difference(ours.planes[i], want[i], ours.info.format));
    EXPECT_LE(largest, tolerance) << ours.info.format.pixel_format;
    return ours;
  }
  TemporaryFolder folder_{"atelier-reader-test"};
};

/// Times and samples are exact.
TEST_F(VideoReaderTest, RealClipsGiveFfprobesFrames) {
  for (const std::string name : {"nasa_13013.mp4", "nasa_13013_rotated.mp4", "bunny_cut.mp4",
                                 "bt709_full_range.mp4", "h265_10bits.mp4"}) {
    if (!fs::exists(shared_clip(name))) GTEST_SKIP() << "no shared clips";
    expect_same_as_ffmpeg(shared_clip(name));
  }
}

/// Times and samples are exact.
TEST_F(VideoReaderTest, CodecsGiveFfmpegsFrames) {
  for (const Kind& kind : std::initializer_list<Kind>{
           {"h264.mp4", "-c:v libx264 -bf 3 -b_strategy 0 -g 10 -pix_fmt yuv420p"},
           {"h264.mkv", "-c:v libx264 -bf 3 -g 10 -x264-params open-gop=1:bframes=3 -pix_fmt yuv444p"},
           {"h264i.ts", "-c:v libx264 -flags +ildct+ilme -bf 2 -pix_fmt yuv422p10le"},
           {"h264refresh.mp4", "-c:v libx264 -x264-params intra-refresh=1:keyint=10 -pix_fmt yuv420p"},
           {"raw.h264", "-c:v libx264 -bf 0 -pix_fmt yuv420p"},
           {"hevc.mp4", "-c:v libx265 -x265-params log-level=none:keyint=10 -pix_fmt yuv420p10le"},
           {"hevc.mkv", "-c:v libx265 -x265-params log-level=none:keyint=10:open-gop=1 -pix_fmt yuv422p"},
           {"full.mp4",
            "-c:v libx264 -bf 2 -g 10 -pix_fmt yuv420p -color_range pc -colorspace bt709 -color_primaries "
            "bt709 "
            "-color_trc bt709"},
           {"vp8.webm", "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 8 -b:v 200k"},
           {"vp9.webm",
            "-c:v libvpx-vp9 -auto-alt-ref 1 -lag-in-frames 12 -deadline realtime -cpu-used 8 -b:v 200k"},
           {"av1.mkv", "-c:v libaom-av1 -cpu-used 8 -lag-in-frames 10 -b:v 200k"},
           {"mpeg2.mpg", "-c:v mpeg2video -bf 2 -g 8"},
           {"mpeg2i.ts", "-c:v mpeg2video -bf 2 -flags +ildct+ilme -top 1"},
           {"mpeg4.avi", "-c:v mpeg4 -bf 2 -g 8"},
           {"mpeg4.mp4", "-c:v mpeg4 -bf 2 -g 8"},
           {"prores.mov", "-c:v prores_ks -profile:v 3"},
           {"prores4444.mov", "-c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le"},
           {"dnxhr.mov", "-c:v dnxhd -profile:v dnxhr_hq -pix_fmt yuv422p"},
           {"mjpeg.mov", "-c:v mjpeg -pix_fmt yuvj422p"},
           {"theora.ogv", "-c:v libtheora"},
           {"ffv1.mkv", "-c:v ffv1 -level 3 -pix_fmt yuv420p"},
           {"flv1.flv", "-c:v flv1"},
       }) {
    ffmpeg(std::string("-f lavfi -i testsrc2=s=322x242:r=25:d=1 -vf noise=alls=9:allf=t+u ") + kind.options +
           " " + quoted(kind.file));
    const Decoded ours = expect_same_as_ffmpeg(file(kind.file));
    EXPECT_EQ(ours.pts.size(), 25U) << kind.file;
  }
}

/// Samples are exact, also at odd sizes.
TEST_F(VideoReaderTest, PixelFormatsKeepTheirSamples) {
  for (const std::string format :
       {"gray",        "gray10le",     "gray12le",     "gray16le",    "yuv420p",     "yuv422p",
        "yuv444p",     "yuv410p",      "yuv411p",      "yuv440p",     "yuv420p9le",  "yuv420p10le",
        "yuv420p12le", "yuv420p14le",  "yuv420p16le",  "yuv422p10le", "yuv444p12le", "yuv444p16le",
        "yuva420p",    "yuva422p10le", "yuva444p16le", "gbrp",        "gbrp10le",    "gbrp12le",
        "gbrp14le",    "gbrp16le",     "gbrap",        "gbrap10le",   "gbrap16le",   "bgr0",
        "bgra"}) {
    ffmpeg("-f lavfi -i testsrc2=s=33x17:r=25:d=0.08 -c:v ffv1 -strict experimental -pix_fmt " + format +
           " " + quoted("a.mkv"));
    const Decoded ours = expect_same_as_ffmpeg(file("a.mkv"));
    EXPECT_EQ(ours.planes.size(), 2U);
    if (format == "gbrp" || format == "gbrap") continue;  // FFV1 gives bgr0 and bgra back.
    EXPECT_EQ(ours.info.format.pixel_format, format);
  }
}

/// What FFmpeg repacks itself; exact.
TEST_F(VideoReaderTest, PackedFormatsBecomePlanes) {
  for (const std::string format : {"nv12", "nv21", "yuyv422", "uyvy422", "gray16be", "rgb24", "bgr24", "rgba",
                                   "argb", "rgb48le", "rgb48be"}) {
    ffmpeg("-f lavfi -i testsrc2=s=34x18:r=25:d=0.08 -c:v rawvideo -pix_fmt " + format + " " +
           quoted("a.nut"));
    EXPECT_EQ(expect_same_as_ffmpeg(file("a.nut")).info.format.pixel_format, format);
  }
}

/// Times are ffprobe's: a cut inside a GOP (edit list, discarded frames), negative starts, gaps.
TEST_F(VideoReaderTest, TimesAreThoseOfTheContainer) {
  const std::string source = "-f lavfi -i testsrc2=s=64x48:r=25:d=2 ";
  ffmpeg(source + "-c:v libx264 -bf 2 -g 50 " + quoted("a.mp4"));
  ffmpeg("-ss 0.5 -i " + quoted("a.mp4") + " -c copy " + quoted("edit.mp4"));
  const Decoded edit = expect_same_as_ffmpeg(file("edit.mp4"));
  EXPECT_LT(edit.pts.size(), 50U);
  ffmpeg(source + "-c:v libx264 -bf 2 -g 50 -output_ts_offset -0.5 -avoid_negative_ts disabled " +
         quoted("negative.mp4"));
  expect_same_as_ffmpeg(file("negative.mp4"));
  ffmpeg(source + "-c:v libx264 -bf 2 -output_ts_offset 7.25 " + quoted("late.mkv"));
  EXPECT_GE(expect_same_as_ffmpeg(file("late.mkv")).pts.front(), 7250);
  ffmpeg(source + "-vf \"select=lt(mod(n\\,7)\\,3)\" -vsync vfr -c:v libx264 -bf 2 " + quoted("vfr.mp4"));
  EXPECT_LT(expect_same_as_ffmpeg(file("vfr.mp4")).pts.size(), 25U);
  ffmpeg(source + "-c:v mpeg2video -bf 2 -output_ts_offset 95440 " + quoted("wrap.ts"));
  expect_times(decode(file("wrap.ts")).pts, ffprobe_pts(file("wrap.ts")));
}

/// Frames from a start time on are the same frames as without one (exact), in every container.
TEST_F(VideoReaderTest, StartAndDurationCutExactly) {
  for (const Kind& kind : std::initializer_list<Kind>{
           {"a.mp4", "-c:v libx264 -bf 3 -g 12"},
           {"refresh.mkv", "-c:v libx264 -x264-params intra-refresh=1:keyint=12"},
           {"open264.mkv", "-c:v libx264 -bf 3 -g 12 -x264-params open-gop=1"},
           {"open.mkv", "-c:v libx265 -x265-params log-level=none:keyint=12:open-gop=1"},
           {"a.ts", "-c:v mpeg2video -bf 2 -g 12"},
           {"a.avi", "-c:v mpeg4 -bf 0 -g 12"},
       }) {
    SCOPED_TRACE(kind.file);
    ffmpeg(std::string("-f lavfi -i testsrc2=s=64x48:r=25:d=3 ") + kind.options + " " + quoted(kind.file));
    const Decoded all = decode(file(kind.file));
    VideoReaderConfig config;
    config.path = file(kind.file);
    config.start_s = 1.48;
    config.duration_s = 0.52;
    const Decoded part = decode(config);
    ASSERT_EQ(part.pts.size(), 13U);
    EXPECT_EQ(part.damage.num_errors, 0) << part.damage.first_problem;
    const auto at = std::find(all.pts.begin(), all.pts.end(), part.pts[0]) - all.pts.begin();
    EXPECT_NEAR(static_cast<double>(at), 37.0, 0.0);
    for (std::size_t i = 0; i < part.pts.size(); ++i) {
      EXPECT_EQ(part.pts[i], all.pts[static_cast<std::size_t>(at) + i]);
      EXPECT_EQ(part.hashes[i], all.hashes[static_cast<std::size_t>(at) + i]) << i;
    }
    config.start_s = 100;
    EXPECT_THROW(VideoReader{config}, UsageError);
  }
}

TEST_F(VideoReaderTest, FieldsAndSideDataAreKnown) {
  ffmpeg("-f lavfi -i testsrc2=s=64x48:r=25:d=0.4 -c:v libx264 -flags +ildct+ilme -top 1 -field_order tt " +
         quoted("i.mp4"));
  VideoReader interlaced({.path = file("i.mp4")});
  int num_interlaced = 0;
  while (const std::optional<FramePlanes> frame = interlaced.read())
    num_interlaced += frame->info.interlaced && frame->info.top_field_first ? 1 : 0;
  EXPECT_EQ(num_interlaced, 10);
  EXPECT_EQ(interlaced.info().field_order, AV_FIELD_TT);

  ffmpeg(
      "-f lavfi -i testsrc2=s=64x48:r=25:d=0.2 -c:v libx265 -pix_fmt yuv420p10le -x265-params log-level=none:"
      "colorprim=9:transfer=16:colormatrix=9:range=limited:chromaloc=2:max-cll=1000,400:"
      "master-display=G\\(13250,34500\\)B\\(7500,3000\\)R\\(34000,16000\\)WP\\(15635,16450\\)L\\(10000000,"
      "1\\) " +
      quoted("hdr.mkv"));
  const InputInfo hdr = VideoReader({.path = file("hdr.mkv")}).info();
  EXPECT_EQ(hdr.format.matrix_coefficients, 9);
  EXPECT_EQ(hdr.color_matrix_tag, 9);
  EXPECT_EQ(hdr.color_primaries, 9);
  EXPECT_EQ(hdr.color_transfer, 16);
  EXPECT_EQ(hdr.format.siting, ChromaSiting::top_left);
  std::vector<int> types;
  for (const SideDataEntry& entry : unpack_entries(hdr.stream_side_data)) types.push_back(entry.type);
  EXPECT_THAT(types, ::testing::IsSupersetOf({static_cast<int>(AV_PKT_DATA_MASTERING_DISPLAY_METADATA),
                                              static_cast<int>(AV_PKT_DATA_CONTENT_LIGHT_LEVEL)}));
}

TEST_F(VideoReaderTest, InfoNamesEveryStream) {
  ffmpeg(
      "-f lavfi -i testsrc2=s=64x48:r=24000/1001:d=2 -f lavfi -i sine=duration=2 -c:v libx264 -pix_fmt "
      "yuv420p -vf setsar=8/9 "
      "-c:a aac "
      "-metadata:s:a:0 language=fra " +
      quoted("a.mp4"));
  const InputInfo info = VideoReader({.path = file("a.mp4")}).info();
  EXPECT_EQ(info.codec, "h264");
  EXPECT_EQ(info.frame_rate, (Rational{24000, 1001}));
  EXPECT_EQ(info.sample_aspect, (Rational{8, 9}));
  EXPECT_EQ(info.num_frames, 48);
  EXPECT_NEAR(info.duration_s, 2.0, 0.05);
  ASSERT_EQ(info.streams.size(), 2U);
  EXPECT_TRUE(info.streams[0].styled);
  EXPECT_EQ(info.streams[0].kind, "video");
  EXPECT_EQ(info.streams[0].description, "64x48 yuv420p 23.976 frames/s");
  EXPECT_FALSE(info.streams[1].styled);
  EXPECT_EQ(info.streams[1].codec, "aac");
  EXPECT_EQ(info.streams[1].description, "44100 Hz mono");
  EXPECT_EQ(info.streams[1].language, "fra");
}

/// Scaling: size by display aspect, even; samples within 2 codes of ffmpeg's bicubic, but for its own siting.
TEST_F(VideoReaderTest, HeightScalesTheFrames) {
  ffmpeg("-f lavfi -i color=0x4080C0:s=150x100:r=25:d=0.2,setsar=4/3 -c:v ffv1 -pix_fmt yuv420p " +
         quoted("a.mkv"));
  VideoReaderConfig config;
  config.path = file("a.mkv");
  config.height_px = 50;
  const Decoded small = decode(config);
  EXPECT_EQ(small.info.format.height_px, 50);
  EXPECT_EQ(small.info.format.width_px, 76);  // 75, made even
  EXPECT_EQ(small.info.coded_width_px, 150);
  EXPECT_EQ(small.info.sample_aspect, (Rational{4, 3}));
  EXPECT_EQ(small.num_rescaled, 0);
  const Decoded whole = decode(file("a.mkv"));
  ASSERT_EQ(small.planes.size(), whole.planes.size());
  for (int p = 0; p < 3; ++p)  // A flat colour stays what it is.
    for (const std::size_t at : {std::size_t{0}, plane_bytes(small.info.format, p) - 1})
      EXPECT_EQ(small.planes[0].data()[plane_offset_bytes(small.info.format, p) + at],
                whole.planes[0].data()[plane_offset_bytes(whole.info.format, p)]);
}

/// Frames of other sizes and formats midway come in the first's: a flat colour within 1 code.
TEST_F(VideoReaderTest, FramesThatChangeMidwayAreScaledToTheFirst) {
  ffmpeg("-f lavfi -i color=0x4080C0:s=64x48:r=25:d=0.4 -c:v libx264 -qp 1 -pix_fmt yuv420p " +
         quoted("1.ts"));
  ffmpeg("-f lavfi -i color=0x4080C0:s=96x72:r=25:d=0.4 -c:v libx264 -qp 1 -pix_fmt yuv422p10le " +
         quoted("2.ts"));
  ffmpeg("-f lavfi -i color=0x4080C0:s=64x48:r=25:d=0.4 -c:v libx264 -qp 1 -pix_fmt yuv420p " +
         quoted("3.ts"));
  test::run_command("cat " + quoted("1.ts") + " " + quoted("2.ts") + " " + quoted("3.ts") + " > " +
                    quoted("all.ts"));
  const Decoded ours = decode(file("all.ts"));
  EXPECT_EQ(ours.pts.size(), 30U);
  EXPECT_EQ(ours.num_rescaled, 10);
  EXPECT_EQ(ours.info.format.width_px, 64);
  EXPECT_TRUE(std::is_sorted(ours.pts.begin(), ours.pts.end()));
  EXPECT_EQ(std::adjacent_find(ours.pts.begin(), ours.pts.end()), ours.pts.end());
  for (const Buffer& frame : ours.planes)
    EXPECT_LE(largest_difference(frame, ours.planes[0], ours.info.format), 1);
}

/// Exact: pictures are the video's frames at 25 frames/s.
TEST_F(VideoReaderTest, PictureRowsAndFolders) {
  fs::create_directory(file("row"));
  ffmpeg("-f lavfi -i testsrc2=s=34x26:r=25:d=0.32 -start_number 8 " + quoted("row/f_%04d.png"));
  const Decoded row = decode(file("row/f_%04d.png"));
  EXPECT_EQ(row.pts, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(row.info.time_base, (Rational{1, 25}));
  EXPECT_EQ(row.info.frame_rate, (Rational{25, 1}));
  EXPECT_EQ(row.info.num_frames, 8);
  const Decoded folder = decode(file("row"));
  EXPECT_EQ(folder.pts, row.pts);
  EXPECT_EQ(folder.hashes, row.hashes);
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(decode(file(concat("row/f_00", i < 2 ? "0" : "", 8 + i, ".png"))).hashes,
              std::vector<std::uint64_t>{row.hashes[static_cast<std::size_t>(i)]});
  // Mixed kinds and a broken one: it is missing, the others stay at their times.
  ffmpeg("-i " + quoted("row/f_0009.png") + " " + quoted("row/f_0009x.jpg"));
  ffmpeg("-i " + quoted("row/f_0009.png") + " " + quoted("row/f_0009y.bmp"));
  fs::resize_file(file("row/f_0012.png"), 50);
  const Decoded mixed = decode(file("row"));
  EXPECT_EQ(mixed.pts, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 7, 8, 9}));
  EXPECT_EQ(mixed.hashes[0], row.hashes[0]);
  EXPECT_EQ(mixed.hashes[1], row.hashes[1]);
  EXPECT_EQ(mixed.hashes[8], row.hashes[7]);
  EXPECT_GE(mixed.damage.num_errors, 1);
}

}  // namespace
}  // namespace atelier::media
