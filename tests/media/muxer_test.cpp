#include "atelier/media/muxer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <span>

#include "atelier/base/error.h"
#include "atelier/base/hash.h"
#include "media/transcode.h"

namespace atelier::media {
namespace {
namespace fs = std::filesystem;
using test::ffmpeg;
using test::packet_hashes;
using test::packet_times_s;
using test::shared_clip;
using test::transcode;
using test::Transcoded;
using test::TranscodeSettings;
using testing::HasSubstr;

/// Half a tick of Matroska, in seconds; ffprobe prints microseconds.
constexpr double matroska_half_tick_s = 0.0005 + 1e-6;
constexpr double exact_s = 1e-6;

void expect_times(const std::vector<double>& expected, const std::vector<double>& seen, double shift_s,
                  double tolerance_s) {
  ASSERT_EQ(expected.size(), seen.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(expected[i] + shift_s, seen[i], tolerance_s) << "packet " << i;
}

std::span<const std::byte> text_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::uint64_t file_hash(const fs::path& path) {
  return hash64(read_file(path).bytes());
}

class MuxerTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }
  /// 40 frames with sound and B-frames; 64x48, 25 frames/s.
  fs::path make_clip(const std::string& name, const std::string& more = "") const {
    ffmpeg(
        "-f lavfi -i testsrc2=size=64x48:rate=25:duration=1.6 -f lavfi -i "
        "sine=duration=1.6:sample_rate=48000 "
        "-c:v libx264 -pix_fmt yuv420p -bf 3 -c:a aac " +
        more + " \"" + path(name).string() + "\"");
    return path(name);
  }
  /// For out.mp4 with the default encoder.
  [[nodiscard]] MuxerConfig muxer_config(const VideoReader& reader) const {
    std::vector<std::string> warnings;
    MuxerConfig config;
    config.output = path("out.mp4");
    config.scratch = folder_.path();
    config.start_id = "test";
    config.input = reader.info();
    config.encoder = resolve_encoder({}, reader.info(), config.output, warnings);
    return config;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(MuxerTest, RealClipKeepsSoundAndTimes) {
  const fs::path clip = shared_clip("bunny_cut.mp4");
  if (!fs::exists(clip)) GTEST_SKIP() << "no shared clips";
  TranscodeSettings settings;
  settings.chunk_frames = 48;
  settings.request.preset = "ultrafast";
  const Transcoded done = transcode(clip, path("out.mp4"), settings);
  EXPECT_EQ(done.num_frames, 240);
  EXPECT_TRUE(done.warnings.empty());
  expect_times(packet_times_s(clip, "v:0"), packet_times_s(path("out.mp4"), "v:0"), 0, exact_s);
  expect_times(packet_times_s(clip, "a:0"), packet_times_s(path("out.mp4"), "a:0"), 0, exact_s);
  EXPECT_EQ(packet_hashes(clip, "a:0"), packet_hashes(path("out.mp4"), "a:0"));
  EXPECT_EQ(test::complaints(path("out.mp4")), "");
}

TEST_F(MuxerTest, LosslessKeepsEveryFrameInEveryContainer) {
  const fs::path clip = make_clip("in.mkv");
  const std::vector<std::string> frames = test::frame_hashes(clip, "v:0", "yuv420p");
  ASSERT_EQ(frames.size(), 40U);
  for (const std::string name : {"out.mp4", "out.mov", "out.mkv"}) {
    TranscodeSettings settings;
    settings.request.crf = 0;
    const Transcoded done = transcode(clip, path(name), settings);
    EXPECT_EQ(done.num_frames, 40);
    EXPECT_GT(done.encoder.reorder_frames, 0) << "B-frames over chunk borders are the point";
    EXPECT_EQ(test::frame_hashes(path(name), "v:0", "yuv420p"), frames) << name;
    EXPECT_EQ(packet_hashes(clip, "a:0"), packet_hashes(path(name), "a:0")) << name;
    EXPECT_EQ(test::complaints(path(name)), "") << name;
  }
}

TEST_F(MuxerTest, TwoRunsGiveTheSameBytes) {
  const fs::path clip = make_clip("in.mp4");
  for (const std::string ending : {".mp4", ".mkv", ".mov"}) {
    transcode(clip, path("first" + ending));
    transcode(clip, path("second" + ending));
    EXPECT_EQ(file_hash(path("first" + ending)), file_hash(path("second" + ending))) << ending;
  }
}

TEST_F(MuxerTest, WebmLeavesOutAacAndSaysSo) {
  const Transcoded done = transcode(make_clip("in.mp4"), path("out.webm"));
  EXPECT_EQ(done.encoder.encoder, "libvpx-vp9");
  ASSERT_EQ(done.warnings.size(), 1U);
  EXPECT_EQ(done.warnings[0], "Stream 1 (audio, aac) is left out: WebM cannot hold it.");
  EXPECT_EQ(packet_times_s(path("out.webm"), "v:0").size(), 40U);
  EXPECT_EQ(test::complaints(path("out.webm")), "");
}

TEST_F(MuxerTest, NothingIsLeftWithoutClose) {
  const fs::path clip = make_clip("in.mp4");
  const std::size_t num_files = static_cast<std::size_t>(
      std::distance(fs::directory_iterator(clip.parent_path()), fs::directory_iterator()));
  {
    VideoReader reader({.path = clip});
    const MuxerConfig config = muxer_config(reader);
    Muxer muxer(config);
    SegmentEncoder encoder(config.encoder, 0, 0);
    encoder.write(*reader.read());
    muxer.write(encoder.finish());
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(clip.parent_path()), fs::directory_iterator()),
            static_cast<std::ptrdiff_t>(num_files));
}

TEST_F(MuxerTest, KeepsWhatMatroskaHolds) {
  write_file_once(path("s.srt"), text_bytes("1\n00:00:00,100 --> 00:00:00,900\nHello\n\n"));
  write_file_once(path("font.ttf"), text_bytes("not really a font"));
  write_file_once(path("m.txt"),
                  text_bytes(";FFMETADATA1\ntitle=My Film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\n"
                             "END=700\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=700\nEND=1600\n"
                             "title=Two\n"));
  ffmpeg("-f lavfi -i testsrc2=size=32x32 -frames:v 1 " + path("cover.jpg").string());
  const std::string at = path("").string();
  ffmpeg(
      "-f lavfi -i testsrc2=size=64x48:rate=25:duration=1.6 -f lavfi -i sine=duration=1.6:sample_rate=48000 "
      "-f lavfi -i sine=duration=1.6:sample_rate=44100 -i " +
      at + "s.srt -i " + at +
      "m.txt -map 0 -map 1 -map 2 -map 3 "
      "-map_metadata 4 -map_chapters 4 -c:v libx264 -pix_fmt yuv420p -c:a:0 libopus -c:a:1 ac3 -c:s srt "
      "-metadata:s:a:0 language=ger -disposition:a:1 comment -attach " +
      at +
      "font.ttf "
      "-metadata:s:t:0 mimetype=application/x-truetype-font -attach " +
      at +
      "cover.jpg "
      "-metadata:s:t:1 mimetype=image/jpeg " +
      at + "in.mkv");
  const Transcoded done = transcode(path("in.mkv"), path("out.mkv"));
  EXPECT_THAT(done.warnings, testing::IsEmpty());
  for (const std::string stream : {"a:0", "a:1", "s:0"}) {
    EXPECT_EQ(packet_hashes(path("in.mkv"), stream), packet_hashes(path("out.mkv"), stream)) << stream;
    expect_times(packet_times_s(path("in.mkv"), stream), packet_times_s(path("out.mkv"), stream), 0, exact_s);
  }
  expect_times(packet_times_s(path("in.mkv"), "v:0"), packet_times_s(path("out.mkv"), "v:0"), 0, exact_s);
  const auto facts = [&](const std::string& name) {
    return test::ffprobe_lines(
        "-show_entries stream=index,codec_type,codec_name:stream_disposition=attached_pic,comment"
        ":stream_tags=language,filename:chapter:chapter_tags:format_tags=title -of compact "
        "\"" +
        path(name).string() + "\"");
  };
  EXPECT_EQ(facts("in.mkv"), facts("out.mkv"));
  EXPECT_EQ(test::complaints(path("out.mkv")), "");

  const Transcoded in_mp4 = transcode(path("in.mkv"), path("out.mp4"));
  EXPECT_THAT(join(in_mp4.warnings, "|"),
              HasSubstr("Stream 3 (subtitle, subrip) is left out: MP4 cannot hold it."));
  EXPECT_THAT(join(in_mp4.warnings, "|"),
              HasSubstr("Stream 4 (attachment, ttf) is left out: MP4 cannot hold it."));
  EXPECT_EQ(test::ffprobe_lines("-show_chapters -of compact " + path("out.mp4").string()).size(), 2U);
  EXPECT_EQ(packet_hashes(path("in.mkv"), "a:1"), packet_hashes(path("out.mp4"), "a:1"));
}

TEST_F(MuxerTest, RotationStaysInMp4AndIsNamedForMatroska) {
  const fs::path clip = path("turned.mp4");
  const std::string whole = make_clip("in.mp4").string();
  // FFmpeg 6 has an option for it; before, the muxer took it from a tag.
  if (test::run_command("ffmpeg -hide_banner -h full").output.find("-display_rotation") != std::string::npos)
    ffmpeg("-display_rotation 90 -i " + whole + " -c copy " + clip.string());
  else
    ffmpeg("-i " + whole + " -c copy -metadata:s:v rotate=270 " + clip.string());
  const auto rotation = [](const fs::path& file) {
    return test::stream_entries(file, "v:0", "stream_side_data=rotation");
  };
  ASSERT_NE(rotation(clip), "");
  EXPECT_THAT(transcode(clip, path("out.mp4")).warnings, testing::IsEmpty());
  EXPECT_EQ(rotation(path("out.mp4")), rotation(clip));
  const Transcoded in_matroska = transcode(clip, path("out.mkv"));
  if (rotation(path("out.mkv")) != rotation(clip)) {
    EXPECT_THAT(join(in_matroska.warnings, "|"), HasSubstr("rotation of stream 0"));
  }
}

TEST_F(MuxerTest, VariableRateAndStartOffsetStay) {
  // Frames 0 1 2 5 6 7 10 … at 90000 ticks a second, from 1.2345 s on.
  ffmpeg(
      "-f lavfi -i testsrc2=size=64x48:rate=25:duration=2 -f lavfi -i sine=duration=2:sample_rate=48000 "
      "-vf \"select=lt(mod(n\\,5)\\,3),setpts=PTS+mod(N\\,3)*0.001/TB\" -vsync passthrough -enc_time_base "
      "1:90000 "
      "-c:v libx264 -pix_fmt yuv420p -bf 2 -c:a aac -output_ts_offset 1.2345 -video_track_timescale 90000 " +
      path("in.mp4").string());
  const std::vector<double> times = test::frame_times_s(path("in.mp4"), "v:0");
  ASSERT_GE(times.size(), 29U);  // FFmpeg 7.1's edit list ends before the last.
  ASSERT_GT(times.front(), 1.0);
  for (const std::string name : {"out.mp4", "out.mov"}) {
    EXPECT_THAT(transcode(path("in.mp4"), path(name)).warnings, testing::IsEmpty());
    expect_times(times, packet_times_s(path(name), "v:0"), 0, exact_s);
    expect_times(packet_times_s(path("in.mp4"), "a:0"), packet_times_s(path(name), "a:0"), 0, exact_s);
    EXPECT_EQ(test::complaints(path(name)), "");
  }
  EXPECT_THAT(transcode(path("in.mp4"), path("out.mkv")).warnings, testing::IsEmpty());
  expect_times(times, packet_times_s(path("out.mkv"), "v:0"), 0, matroska_half_tick_s);
  EXPECT_EQ(test::complaints(path("out.mkv")), "");
}

TEST_F(MuxerTest, TimesBeforeZeroShiftAllStreamsAlike) {
  // The sound of an MP4 starts with the encoder's delay, before zero.
  const fs::path clip = make_clip("in.mp4");
  const std::vector<double> sound = packet_times_s(clip, "a:0");
  ASSERT_LT(sound.front(), 0);
  const Transcoded done = transcode(clip, path("out.mkv"));
  ASSERT_EQ(done.warnings.size(), 1U);
  EXPECT_THAT(done.warnings[0], HasSubstr("All streams start 0.0"));
  const double shift_s = packet_times_s(path("out.mkv"), "v:0").front() - packet_times_s(clip, "v:0").front();
  EXPECT_NEAR(shift_s, -sound.front(), 0.002);
  expect_times(packet_times_s(clip, "v:0"), packet_times_s(path("out.mkv"), "v:0"), shift_s,
               2 * matroska_half_tick_s);
  expect_times(sound, packet_times_s(path("out.mkv"), "a:0"), shift_s, 2 * matroska_half_tick_s);
}

TEST_F(MuxerTest, CutTakesSoundAlong) {
  const fs::path clip = make_clip("in.mp4");
  TranscodeSettings settings;
  settings.start_s = 0.4;
  settings.duration_s = 0.8;
  const Transcoded done = transcode(clip, path("out.mp4"), settings);
  EXPECT_EQ(done.num_frames, 20);
  const std::vector<double> video = packet_times_s(path("out.mp4"), "v:0");
  const std::vector<double> sound = packet_times_s(path("out.mp4"), "a:0");
  EXPECT_NEAR(video.front(), 0, exact_s);
  EXPECT_NEAR(video.back(), 0.76, exact_s);
  // A packet of sound lasts 1024/48000 s.
  EXPECT_NEAR(sound.front(), 0, 0.022);
  EXPECT_NEAR(sound.back(), 0.8, 0.022);
  const std::vector<std::string> all = packet_hashes(clip, "a:0");
  const std::vector<std::string> kept = packet_hashes(path("out.mp4"), "a:0");
  EXPECT_NE(std::search(all.begin(), all.end(), kept.begin(), kept.end()), all.end());
  EXPECT_EQ(test::complaints(path("out.mp4")), "");
}

TEST_F(MuxerTest, TransportStreamsAndPicturesWork) {
  const fs::path ts = make_clip("in.ts");
  const Transcoded done = transcode(ts, path("out.mp4"));
  EXPECT_EQ(done.num_frames, 40);
  expect_times(packet_times_s(ts, "v:0"), packet_times_s(path("out.mp4"), "v:0"), 0, exact_s);
  EXPECT_EQ(packet_times_s(ts, "a:0").size(), packet_times_s(path("out.mp4"), "a:0").size());
  EXPECT_EQ(test::complaints(path("out.mp4")), "");

  fs::create_directory(path("row"));
  ffmpeg("-f lavfi -i testsrc2=size=64x48 -frames:v 5 " + path("row").string() + "/p%d.png");
  EXPECT_EQ(transcode(path("row"), path("row.mp4")).num_frames, 5);
  EXPECT_EQ(packet_times_s(path("row.mp4"), "v:0").size(), 5U);
}

struct SizeAndQuality {
  double bytes = 0;
  double ssim_db = 0;
};

SizeAndQuality measure(const fs::path& file, const fs::path& source) {
  SizeAndQuality out;
  for (const std::string& line :
       test::ffprobe_lines("-select_streams v:0 -show_entries packet=size -of csv=p=0 " + file.string()))
    out.bytes += std::stod(line);
  const std::string said =
      test::run_command(
          "ffmpeg -nostdin -i " + file.string() + " -i " + source.string() +
          " -lavfi \"[0:v:0]setpts=N/25/TB[a];[1:v:0]setpts=N/25/TB[b];[a][b]ssim\" -f null - 2>&1")
          .output;
  out.ssim_db = -10 * std::log10(1 - std::stod(said.substr(said.find("All:") + 4)));
  return out;
}

/// How many percent more bytes than one encoder with the same keyframe interval joined chunks take at equal
/// SSIM. Encodes in.mkv of the folder.
double percent_more_when_joined(const fs::path& folder) {
  const fs::path source = folder / "in.mkv";
  std::vector<SizeAndQuality> single;
  for (const std::string crf : {"17", "19"}) {
    ffmpeg("-i " + source.string() + " -c:v libx264 -preset medium -g 48 -x264-params " +
           "open-gop=0:threads=2:cpu-independent=1 -crf " + crf + " " + (folder / "single.mkv").string());
    single.push_back(measure(folder / "single.mkv", source));
  }
  TranscodeSettings settings;
  settings.chunk_frames = 48;
  settings.request.crf = 18;
  transcode(source, folder / "joined.mkv", settings);
  const SizeAndQuality joined = measure(folder / "joined.mkv", source);
  const double along = (joined.ssim_db - single[0].ssim_db) / (single[1].ssim_db - single[0].ssim_db);
  const double equal_bytes = single[0].bytes * std::pow(single[1].bytes / single[0].bytes, along);
  return 100 * (joined.bytes / equal_bytes - 1);
}

/// A slow camera over a picture beside something livelier. Without the finer first frame of each chunk it
/// costs 4.4 %.
TEST_F(MuxerTest, JoinedChunksCostLittle) {
  ffmpeg("-loop 1 -framerate 25 -t 6 -i " ATELIER_SOURCE_DIR
         "/styles/flowing-strokes.jpg -f lavfi -i mandelbrot=s=160x240:r=25 -filter_complex "
         "\"[0]scale=960:-2,crop=320:240:x=200:y=200+n/8[a];[a][1]overlay=x=160:shortest=1\" "
         "-pix_fmt yuv420p -c:v ffv1 " +
         path("in.mkv").string());
  const double percent = percent_more_when_joined(path(""));
  RecordProperty("percent_more", concat(percent));
  EXPECT_LT(percent, 1.5);
  // x264's settings are told in the first chunk only.
  const Buffer bytes = read_file(path("joined.mkv"));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_NE(text.find("x264 - core"), std::string_view::npos);
  EXPECT_EQ(text.find("x264 - core"), text.rfind("x264 - core"));
}

TEST_F(MuxerTest, JoinedChunksOfARealClipCostLittle) {
  const fs::path clip = shared_clip("bunny_cut.mp4");
  if (!fs::exists(clip)) GTEST_SKIP() << "no shared clips";
  ffmpeg("-i " + clip.string() + " -map 0:v -t 6 -c:v ffv1 " + path("in.mkv").string());
  const double percent = percent_more_when_joined(path(""));
  RecordProperty("percent_more", concat(percent));
  EXPECT_LT(percent, 1.5);
}

TEST_F(MuxerTest, RefusesSegmentsThatDoNotJoin) {
  const fs::path clip = make_clip("in.mp4");
  VideoReader reader({.path = clip});
  const MuxerConfig config = muxer_config(reader);
  const auto segment_of = [&](std::int64_t chunk) {
    SegmentEncoder encoder(config.encoder, chunk, chunk);
    encoder.write(*reader.read());
    return encoder.finish();
  };
  Muxer muxer(config);
  EXPECT_THROW(muxer.write(segment_of(1)), JobError) << "chunk 0 comes first";
  Muxer second(config);
  second.write(segment_of(0));
  Segment other = segment_of(1);
  other.extradata.push_back(std::byte{0});
  EXPECT_THROW(second.write(other), JobError) << "another codec header";
  other.packets.clear();
  EXPECT_THROW(second.write(other), JobError) << "no packets";
  EXPECT_THROW(Muxer(config).close(), JobError) << "no frame";
  EXPECT_FALSE(fs::exists(config.output));
}

class UnwritableTest : public MuxerTest {
 protected:
  void expect_failure(const fs::path& clip, const std::string& said) const {
    try {
      transcode(clip, path("out.mp4"));
      FAIL() << "nothing can be written";
    } catch (const JobError& error) {
      EXPECT_THAT(error.what(), HasSubstr(said));
    }
    EXPECT_FALSE(fs::exists(path("out.mp4")));
    EXPECT_FALSE(fs::exists(fs::symlink_status(path("out.mp4.test.part"))));
  }
};

// tests/system/faulty_storage_test.py has full disks and other errors that last or pass.
TEST_F(UnwritableTest, Part) {
  const fs::path clip = make_clip("in.mp4");
  fs::create_directory(path("out.mp4.test.part"));
  expect_failure(clip, "Is a directory");
}

TEST_F(UnwritableTest, FullScratch) {
  const fs::path clip = make_clip("in.mp4");
  struct sigaction before {};
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &ignore, &before);
  rlimit old_limit{};
  getrlimit(RLIMIT_FSIZE, &old_limit);
  rlimit small = old_limit;
  small.rlim_cur = 4096;
  setrlimit(RLIMIT_FSIZE, &small);
  expect_failure(clip, "cannot write");
  setrlimit(RLIMIT_FSIZE, &old_limit);
  sigaction(SIGXFSZ, &before, nullptr);
}

TEST(CheckOutputWritable, NamesWhatIsWrong) {
  const TemporaryFolder folder;
  EXPECT_NO_THROW(check_output_writable(folder.path() / "out.mp4", "1a2b3c4d"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
  EXPECT_NO_THROW(check_output_writable(folder.path() / (std::string(237, 'n') + ".mp4"), "1a2b3c4d"));
  EXPECT_THROW(check_output_writable(folder.path() / (std::string(238, 'n') + ".mp4"), "1a2b3c4d"),
               UsageError);
  EXPECT_TRUE(fs::is_empty(folder.path()));
  EXPECT_THROW(check_output_writable(folder.path(), "1a2b3c4d"), UsageError);
  EXPECT_THROW(check_output_writable(folder.path() / "missing" / "out.mp4", "1a2b3c4d"), UsageError);
  EXPECT_THROW(check_output_writable("/proc/out.mp4", "1a2b3c4d"), UsageError);
}

}  // namespace
}  // namespace atelier::media
