#include "media/field_video.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>

#include "libav.h"
#include "media/decoded.h"
#include "media/packet_chunks.h"
#include "media/transcode.h"

namespace atelier::media {
namespace {
namespace fs = std::filesystem;
using test::ffprobe_pts;
using test::FieldVideo;
using test::FieldVideoSettings;
using test::make_field_video;
using test_support::decode;
using test_support::Decoded;
using test_support::expect_times;

enum class Packets { field_each, frame_each };

class FieldVideoTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path file(const std::string& name) const { return folder_.path() / name; }

  /// Packets of 25 frames/s in the container that the name's ending tells.
  void write(const FieldVideo& video, const std::string& name, Packets packets) const {
    AVFormatContext* output = nullptr;
    check_av(avformat_alloc_output_context2(&output, nullptr, nullptr, file(name).c_str()), "no muxer");
    AVStream* stream = avformat_new_stream(output, nullptr);
    AVCodecParameters& codec = *stream->codecpar;
    codec.codec_type = AVMEDIA_TYPE_VIDEO;
    codec.codec_id = AV_CODEC_ID_H264;
    codec.width = FieldVideo::width_px;
    codec.height = FieldVideo::height_px;
    codec.extradata_size = static_cast<int>(video.parameter_sets.size());
    codec.extradata =
        static_cast<std::uint8_t*>(av_mallocz(video.parameter_sets.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    std::memcpy(codec.extradata, video.parameter_sets.data(), video.parameter_sets.size());
    stream->time_base = field_time;
    stream->avg_frame_rate = {25, 1};
    check_av(avio_open(&output->pb, file(name).c_str(), AVIO_FLAG_WRITE), "output does not open");
    check_av(avformat_write_header(output, nullptr), "no header");
    std::int64_t num_fields = 0;
    for (std::size_t i = 0; i < video.units.size(); ++i) {
      const FieldVideo::AccessUnit& unit = video.units[i];
      std::vector<std::byte> bytes = unit.bytes;
      const bool pair = FieldVideo::is_field_pair(unit.frame);
      if (pair && packets == Packets::frame_each) {
        const std::vector<std::byte>& second = video.units[++i].bytes;
        bytes.insert(bytes.end(), second.begin(), second.end());
      }
      const PacketPtr packet = make_packet();
      check_av(av_new_packet(packet.get(), static_cast<int>(bytes.size())), "memory is short");
      std::memcpy(packet->data, bytes.data(), bytes.size());
      packet->pts = 2 * unit.frame + (unit.second_field ? 1 : 0);
      packet->dts = num_fields - 2;
      packet->duration = pair && packets == Packets::field_each ? 1 : 2;
      num_fields += packet->duration;
      packet->flags = unit.key ? AV_PKT_FLAG_KEY : 0;
      av_packet_rescale_ts(packet.get(), field_time, stream->time_base);
      check_av(av_write_frame(output, packet.get()), "packet is refused");
    }
    check_av(av_write_trailer(output), "no trailer");
    avio_closep(&output->pb);
    avformat_free_context(output);
  }

  /// Samples, times and fields are those written; exact.
  void expect_frames(const FieldVideo& video, const fs::path& path, int num_threads,
                     bool top_field_first) const {
    VideoReader reader({.path = path, .num_threads = num_threads});
    const InputInfo& info = reader.info();
    EXPECT_EQ(info.frame_rate, (Rational{25, 1}));
    EXPECT_EQ(info.num_frames.value_or(120), 120);
    const double tick_s = info.time_base.value();
    std::vector<std::int64_t> pts;
    while (const std::optional<FramePlanes> frame = reader.read()) {
      const std::size_t index = pts.size();
      ASSERT_LT(index, video.frames.size());
      pts.push_back(frame->info.pts_ticks);
      EXPECT_TRUE(std::ranges::equal(frame->planes.bytes(), video.frames[index])) << index;
      EXPECT_EQ(frame->info.interlaced, FieldVideo::is_field_pair(static_cast<int>(index))) << index;
      EXPECT_EQ(frame->info.top_field_first, top_field_first) << index;
      EXPECT_NEAR(static_cast<double>(frame->info.duration_ticks) * tick_s, 0.04, 1e-9) << index;
      EXPECT_NEAR(static_cast<double>(pts[index] - pts[0]) * tick_s, 0.04 * static_cast<double>(index), 1e-9);
    }
    expect_times(pts, ffprobe_pts(path));
    EXPECT_EQ(reader.damage().num_errors, 0) << reader.damage().first_problem;
  }

  static constexpr AVRational field_time{1, 50};
  TemporaryFolder folder_{"atelier-field-test"};
};

TEST_F(FieldVideoTest, BothFieldsOfAFrameBecomeOne) {
  for (const FieldVideoSettings& settings : std::initializer_list<FieldVideoSettings>{
           {.top_field_first = true, .reordered = false},
           {.top_field_first = false, .reordered = false},
           {.top_field_first = true, .reordered = true},
       }) {
    const FieldVideo video = make_field_video(settings);
    for (const std::string name : {"a.h264", "a.ts", "a.mkv", "a.mp4"}) {
      for (const Packets packets : {Packets::field_each, Packets::frame_each}) {
        SCOPED_TRACE(concat(name, settings.reordered ? ", reordered" : "",
                            packets == Packets::field_each ? ", fields" : ", frames"));
        write(video, name, packets);
        ASSERT_EQ(
            test::run_command("ffprobe -v error -show_frames " + file(name).string() + " 2>&1 >/dev/null")
                .output,
            "");
        for (const int num_threads : {1, 2, 5, 16}) {
          SCOPED_TRACE(num_threads);
          expect_frames(video, file(name), num_threads, settings.top_field_first);
        }
      }
    }
  }
}

/// A part is the same frames as in the whole; exact.
TEST_F(FieldVideoTest, APartBeginsAtItsTime) {
  const FieldVideo video = make_field_video({.reordered = true});
  for (const std::string name : {"a.ts", "a.mkv", "a.mp4"}) {
    SCOPED_TRACE(name);
    write(video, name, Packets::field_each);
    const Decoded part = decode({.path = file(name), .start_s = 2.2, .duration_s = 1});
    ASSERT_EQ(part.planes.size(), 25U);
    for (std::size_t i = 0; i < part.planes.size(); ++i)
      EXPECT_TRUE(std::ranges::equal(part.planes[i].bytes(), video.frames[55 + i])) << i;
    EXPECT_EQ(part.damage.num_errors, 0) << part.damage.first_problem;
  }
}

/// The same frames for any number of threads, as many as ffprobe finds, and what lies before is untouched.
TEST_F(FieldVideoTest, DamageIsTheSameForAnyNumberOfThreads) {
  const FieldVideo video = make_field_video({.num_frames = 240, .reordered = true});
  for (const std::string name : {"a.h264", "a.ts", "a.mkv", "a.mp4"}) {
    SCOPED_TRACE(name);
    write(video, name, Packets::field_each);
    Buffer bytes = read_file(file(name));
    // Somewhere in slice headers: samples as they are would decode to anything.
    int num_slices = 0;
    for (std::size_t at = bytes.size() * 6 / 10; at < bytes.size() * 8 / 10; ++at) {
      const bool slice = (bytes.data()[at] & std::byte{0x9F}) == std::byte{1};
      if (slice && ++num_slices % 40 == 0) bytes.data()[at + 1] ^= std::byte{0x5A};
    }
    write_file_once(file("bad_" + name), bytes.bytes());
    VideoReaderConfig config{.path = file("bad_" + name), .num_threads = 4};
    const Decoded first = decode(config);
    EXPECT_GT(first.damage.num_errors, 0);
    for (const int num_threads : {4, 1, 16}) {
      config.num_threads = num_threads;
      const Decoded again = decode(config);
      EXPECT_EQ(again.pts, first.pts) << num_threads;
      EXPECT_EQ(again.hashes, first.hashes) << num_threads;
      EXPECT_EQ(again.damage.num_errors, first.damage.num_errors) << num_threads;
    }
    EXPECT_EQ(first.pts.size(), ffprobe_pts(config.path).size());
    for (std::size_t i = 0; i < 100; ++i)
      EXPECT_TRUE(std::ranges::equal(first.planes[i].bytes(), video.frames[i])) << i;
  }
}

/// FFV1 keeps samples; times are exact to Matroska's tick.
TEST_F(FieldVideoTest, AJobKeepsFramesTimesAndFields) {
  const FieldVideo video = make_field_video({.reordered = true});
  for (const std::string name : {"a.ts", "a.mp4"}) {
    SCOPED_TRACE(name);
    write(video, name, Packets::field_each);
    test::TranscodeSettings settings;
    settings.request.codec = "ffv1";
    test::transcode(file(name), file("out.mkv"), settings);
    const Decoded lossless = decode(file("out.mkv"));
    ASSERT_EQ(lossless.planes.size(), video.frames.size());
    for (std::size_t i = 0; i < video.frames.size(); ++i)
      EXPECT_TRUE(std::ranges::equal(lossless.planes[i].bytes(), video.frames[i])) << i;
    settings.request.codec = "x264";
    test::transcode(file(name), file("out.mp4"), settings);
    EXPECT_EQ(test::complaints(file("out.mp4")), "");
    VideoReader reader({.path = file("out.mp4")});
    std::int64_t num_frames = 0;
    std::optional<std::int64_t> first_pts;
    while (const std::optional<FramePlanes> frame = reader.read()) {
      first_pts = first_pts.value_or(frame->info.pts_ticks);
      EXPECT_NEAR(static_cast<double>(frame->info.pts_ticks - *first_pts) * reader.info().time_base.value(),
                  0.04 * static_cast<double>(num_frames), 1e-9);
      EXPECT_TRUE(frame->info.interlaced) << num_frames;
      EXPECT_TRUE(frame->info.top_field_first) << num_frames;
      ++num_frames;
    }
    EXPECT_EQ(num_frames, 120);
  }
}

/// Which fields make a frame is told by the decoder alone.
TEST_F(FieldVideoTest, IsNotCutIntoPackets) {
  const FieldVideo video = make_field_video({});
  for (const Packets packets : {Packets::field_each, Packets::frame_each}) {
    const std::string name = packets == Packets::field_each ? "each.mkv" : "whole.mkv";
    write(video, name, packets);
    const test_support::ByPackets ours = test_support::decode_by_packets({.path = file(name)}, 12);
    EXPECT_NE(ours.obstacle + ours.fault, "");
    test_support::expect_same_start(ours.frames, test_support::decode_whole({.path = file(name)}));
  }
}

}  // namespace
}  // namespace atelier::media
