#include "carried_side_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "media/transcode.h"
#include "side_data.h"

namespace atelier::media {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t num_frames = 20;
constexpr std::int64_t chunk_frames = 10;

template <typename Value>
std::vector<std::byte> bytes_of(const Value& value) {
  const auto* begin = reinterpret_cast<const std::byte*>(&value);
  return {begin, begin + sizeof value};
}

/// A short video of which each frame has the entries that entries_of gives.
template <typename EntriesOf>
void write_video(const fs::path& out, const std::string& codec, const std::string& rate,
                 const EntriesOf& entries_of, const std::string& source_options = "") {
  const fs::path clip = out.parent_path() / "plain.mkv";
  test::ffmpeg("-f lavfi -i testsrc2=size=64x48:rate=" + rate + " -frames:v 20 -c:v ffv1 " + source_options +
               " " + clip.string());
  quiet_libraries();
  VideoReader reader({.path = clip});
  MuxerConfig config;
  config.output = out;
  config.scratch = out.parent_path();
  config.start_id = "test";
  config.input = reader.info();
  for (const SideDataEntry& entry : entries_of(0))
    config.input.frame_timecodes |= entry.type == AV_FRAME_DATA_S12M_TIMECODE;
  std::vector<std::string> warnings;
  config.encoder =
      resolve_encoder({.codec = codec, .preset = "", .crf = {}, .options = {}, .pixel_format = ""},
                      config.input, out, warnings);
  Muxer muxer(config);
  for (std::int64_t first = 0; first < num_frames; first += chunk_frames) {
    SegmentEncoder encoder(config.encoder, first / chunk_frames, first);
    for (std::int64_t k = 0; k < chunk_frames; ++k) {
      FramePlanes frame = *reader.read();
      frame.info.side_data = pack_entries(entries_of(frame.info.frame_index));
      encoder.write(frame);
    }
    muxer.write(encoder.finish());
  }
  muxer.close();
}

/// Entries of a type of each frame, as FFmpeg's decoder gives them.
std::vector<std::vector<std::vector<std::byte>>> read_entries(const fs::path& path, int type) {
  VideoReader reader({.path = path});
  std::vector<std::vector<std::vector<std::byte>>> found;
  while (const std::optional<FramePlanes> frame = reader.read()) {
    found.emplace_back();
    for (SideDataEntry& entry : unpack_entries(frame->info.side_data))
      if (entry.type == type) found.back().push_back(std::move(entry.data));
  }
  return found;
}

/// What the frames of the video have comes through a whole job too.
void expect_transcoded_alike(const fs::path& path, const std::string& codec, int type) {
  const fs::path again = path.parent_path() / ("again" + path.extension().string());
  test::TranscodeSettings settings;
  settings.request.codec = codec;
  settings.chunk_frames = 7;
  test::transcode(path, again, settings);
  const auto before = read_entries(path, type);
  const auto after = read_entries(again, type);
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t frame = 0; frame < before.size(); ++frame) {
    SCOPED_TRACE(frame);
    ASSERT_EQ(after[frame].size(), before[frame].size());
    for (std::size_t i = 0; i < before[frame].size(); ++i) {
      ASSERT_EQ(after[frame][i].size(), before[frame][i].size());
      const auto [a, b] =
          std::mismatch(after[frame][i].begin(), after[frame][i].end(), before[frame][i].begin());
      EXPECT_EQ(a - after[frame][i].begin(), std::ssize(after[frame][i])) << "bytes are alike";
    }
  }
  EXPECT_EQ(test::complaints(again), "");
}

/// Everything that SMPTE ST 2094-40 has room for, other values for each frame.
AVDynamicHDRPlus full_metadata(std::int64_t frame) {
  const int f = static_cast<int>(frame);
  AVDynamicHDRPlus m{};
  m.itu_t_t35_country_code = 0xB5;
  m.application_version = 1;
  m.num_windows = 3;
  m.targeted_system_display_maximum_luminance = {400 + f, 1};
  m.targeted_system_display_actual_peak_luminance_flag = 1;
  m.num_rows_targeted_system_display_actual_peak_luminance = 2;
  m.num_cols_targeted_system_display_actual_peak_luminance = 25;
  for (int row = 0; row < 2; ++row)
    for (int column = 0; column < 25; ++column)
      m.targeted_system_display_actual_peak_luminance[row][column] = {(row + column + f) % 16, 15};
  m.mastering_display_actual_peak_luminance_flag = 1;
  m.num_rows_mastering_display_actual_peak_luminance = 3;
  m.num_cols_mastering_display_actual_peak_luminance = 2;
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 2; ++column)
      m.mastering_display_actual_peak_luminance[row][column] = {(row * column + f) % 16, 15};
  for (int w = 0; w < 3; ++w) {
    AVHDRPlusColorTransformParams& p = m.params[w];
    if (w > 0) {
      p.window_upper_left_corner_x = {w, 1};
      p.window_upper_left_corner_y = {w + f, 1};
      p.window_lower_right_corner_x = {40 + w, 1};
      p.window_lower_right_corner_y = {30 + w, 1};
      p.center_of_ellipse_x = 32;
      p.center_of_ellipse_y = 24;
      p.rotation_angle = static_cast<std::uint8_t>(90 + w);
      p.semimajor_axis_internal_ellipse = 5;
      p.semimajor_axis_external_ellipse = 65535;
      p.semiminor_axis_external_ellipse = 256;
      p.overlap_process_option = static_cast<AVHDRPlusOverlapProcessOption>(w == 2 ? 1 : 0);
    }
    for (int i = 0; i < 3; ++i) p.maxscl[i] = {100000 - 7 * f - i, 100000};
    p.average_maxrgb = {3 * f, 100000};
    p.num_distribution_maxrgb_percentiles = static_cast<std::uint8_t>(w == 0 ? 15 : w);
    for (int i = 0; i < p.num_distribution_maxrgb_percentiles; ++i)
      p.distribution_maxrgb[i] = {static_cast<std::uint8_t>(i * 7), {i * 1000 + f, 100000}};
    p.fraction_bright_pixels = {f, 1000};
    p.tone_mapping_flag = static_cast<std::uint8_t>(w != 1);
    if (w != 1) {
      p.knee_point_x = {4095 - f, 4095};
      p.knee_point_y = {f, 4095};
      p.num_bezier_curve_anchors = 15;
      for (int i = 0; i < 15; ++i) p.bezier_curve_anchors[i] = {i * 60 + f, 1023};
    }
    p.color_saturation_mapping_flag = static_cast<std::uint8_t>(w != 2);
    if (w != 2) p.color_saturation_weight = {f, 8};
  }
  return m;
}

std::vector<SideDataEntry> hdr10_plus_entries(std::int64_t frame) {
  return {{AV_FRAME_DATA_DYNAMIC_HDR_PLUS, bytes_of(full_metadata(frame))}};
}

/// Each frame of the file has one entry, as it was given.
void expect_full_metadata(const fs::path& out) {
  const auto found = read_entries(out, AV_FRAME_DATA_DYNAMIC_HDR_PLUS);
  ASSERT_EQ(found.size(), static_cast<std::size_t>(num_frames));
  for (std::size_t frame = 0; frame < found.size(); ++frame) {
    SCOPED_TRACE(frame);
    ASSERT_EQ(found[frame].size(), 1U);
    AVDynamicHDRPlus seen;
    ASSERT_EQ(found[frame][0].size(), sizeof seen);
    std::memcpy(&seen, found[frame][0].data(), sizeof seen);
    // What is not coded, as the first window's place, FFmpeg leaves as the memory was.
    const AVDynamicHDRPlus given = full_metadata(static_cast<std::int64_t>(frame));
    EXPECT_EQ(hdr10_plus_message(seen).payload, hdr10_plus_message(given).payload);
  }
}

TEST(CarriedSideData, Hdr10PlusOfHevcFramesIsReadBackWhole) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out.mp4";
  write_video(out, "x265", "25", hdr10_plus_entries);
  expect_full_metadata(out);
  expect_transcoded_alike(out, "x265", AV_FRAME_DATA_DYNAMIC_HDR_PLUS);
}

/// The fields that FFmpeg's own writer keeps as they are (for several windows it does not keep all).
void expect_one_window(const fs::path& path) {
  const auto found = read_entries(path, AV_FRAME_DATA_DYNAMIC_HDR_PLUS);
  ASSERT_EQ(found.size(), static_cast<std::size_t>(num_frames));
  for (std::size_t frame = 0; frame < found.size(); ++frame) {
    SCOPED_TRACE(frame);
    ASSERT_EQ(found[frame].size(), 1U);
    AVDynamicHDRPlus seen;
    ASSERT_EQ(found[frame][0].size(), sizeof seen);
    std::memcpy(&seen, found[frame][0].data(), sizeof seen);
    const AVDynamicHDRPlus expected = full_metadata(static_cast<std::int64_t>(frame));
    EXPECT_EQ(seen.num_windows, 1);
    EXPECT_EQ(av_cmp_q(seen.targeted_system_display_maximum_luminance,
                       expected.targeted_system_display_maximum_luminance),
              0);
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(av_cmp_q(seen.params[0].maxscl[i], expected.params[0].maxscl[i]), 0) << i;
    EXPECT_EQ(av_cmp_q(seen.params[0].average_maxrgb, expected.params[0].average_maxrgb), 0);
  }
}

TEST(CarriedSideData, Hdr10PlusOfVp9FramesIsReadBack) {
  if (LIBAVCODEC_VERSION_MAJOR < 61) GTEST_SKIP() << "this FFmpeg may not hand HDR10+ to libvpx";
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out.webm";
  const auto one_window = [](std::int64_t frame) -> std::vector<SideDataEntry> {
    AVDynamicHDRPlus metadata = full_metadata(frame);
    metadata.num_windows = 1;
    return {{AV_FRAME_DATA_DYNAMIC_HDR_PLUS, bytes_of(metadata)}};
  };
  write_video(out, "vp9", "25", one_window, "-vf setparams=color_trc=smpte2084 -pix_fmt yuv420p10le");
  expect_one_window(out);
  const fs::path again = folder.path() / "again.webm";
  test::TranscodeSettings settings;
  settings.request.codec = "vp9";
  settings.chunk_frames = 7;
  test::transcode(out, again, settings);
  expect_one_window(again);
  EXPECT_EQ(test::complaints(again), "");
}

/// As in SMPTE ST 12-1, two digits in each byte: hours in the lowest one, then minutes, seconds, frames.
std::uint32_t timecode(int hours, int minutes, int seconds, int frames) {
  const auto digits = [](int n) { return static_cast<std::uint32_t>(n / 10 << 4 | n % 10); };
  return digits(hours) | digits(minutes) << 8 | digits(seconds) << 16 | digits(frames) << 24;
}

TEST(CarriedSideData, TimecodesAreReadBack) {
  struct Case {
    const char* rate;
    std::uint32_t (*of)(int frame);
  };
  const Case cases[] = {
      {"25", [](int f) { return timecode(23, 59, 40 + f, 24 - f); }},
      {"30000/1001", [](int f) { return timecode(1, 2, 3, 2 + f) | std::uint32_t{1} << 30; }},
      {"50", [](int f) { return timecode(9, 8, 7, f / 2) | static_cast<std::uint32_t>(f % 2) << 7; }},
      {"60", [](int f) { return timecode(9, 8, 7, f / 2) | static_cast<std::uint32_t>(f % 2) << 23; }},
  };
  for (const std::string codec : {"x264", "x265"}) {
    for (const Case& c : cases) {
      SCOPED_TRACE(codec + " " + c.rate);
      const TemporaryFolder folder;
      const fs::path out = folder.path() / "out.mkv";
      // A progressive picture of H.264 has one timecode; HEVC takes three.
      const auto entry_of = [&](std::int64_t frame) {
        const int f = static_cast<int>(frame);
        const int count = codec == "x264" ? 1 : 1 + f % 3;
        return bytes_of(std::array<std::uint32_t, 4>{static_cast<std::uint32_t>(count), c.of(f),
                                                     count > 1 ? c.of(f) : 0, count > 2 ? c.of(f) : 0});
      };
      write_video(out, codec, c.rate, [&](std::int64_t frame) -> std::vector<SideDataEntry> {
        return {{AV_FRAME_DATA_S12M_TIMECODE, entry_of(frame)}};
      });
      const auto found = read_entries(out, AV_FRAME_DATA_S12M_TIMECODE);
      ASSERT_EQ(found.size(), static_cast<std::size_t>(num_frames));
      for (std::size_t frame = 0; frame < found.size(); ++frame)
        EXPECT_THAT(found[frame], testing::ElementsAre(entry_of(static_cast<std::int64_t>(frame)))) << frame;
      expect_transcoded_alike(out, codec, AV_FRAME_DATA_S12M_TIMECODE);
    }
  }
}

TEST(CarriedSideData, TimecodesOfBothFieldsAreReadBack) {
  const TemporaryFolder folder;
  const fs::path plain = folder.path() / "fields.mkv";
  test::ffmpeg(
      "-f lavfi -i testsrc2=size=64x64:rate=50:duration=0.8 -vf interlace=scan=tff,format=yuv420p -c:v "
      "libx264 "
      "-x264-params tff=1 -flags +ildct+ilme -field_order tt " +
      plain.string());
  VideoReader reader({.path = plain});
  EncoderConfig config;
  InputInfo info = reader.info();
  info.frame_timecodes = true;
  std::vector<std::string> warnings;
  config = resolve_encoder({.codec = "x264", .preset = "", .crf = {}, .options = {}, .pixel_format = ""},
                           info, "out.mkv", warnings);
  SegmentEncoder encoder(config, 0, 0);
  const auto entry =
      bytes_of(std::array<std::uint32_t, 4>{2, timecode(10, 11, 12, 13), timecode(10, 11, 12, 14), 0});
  while (std::optional<FramePlanes> frame = reader.read()) {
    frame->info.side_data = pack_entries({{AV_FRAME_DATA_S12M_TIMECODE, entry}});
    encoder.write(*frame);
  }
  MuxerConfig muxer_config;
  muxer_config.output = folder.path() / "out.mkv";
  muxer_config.scratch = folder.path();
  muxer_config.start_id = "test";
  muxer_config.input = info;
  muxer_config.encoder = config;
  Muxer muxer(muxer_config);
  muxer.write(encoder.finish());
  muxer.close();
  const auto found = read_entries(muxer_config.output, AV_FRAME_DATA_S12M_TIMECODE);
  EXPECT_EQ(found.size(), 20U);
  for (const auto& entries : found) EXPECT_THAT(entries, testing::ElementsAre(entry));
  EXPECT_EQ(test::complaints(muxer_config.output), "");
}

/// Zeros for emulation prevention, and more bytes than a size byte can say.
std::vector<std::byte> user_data(std::int64_t frame, int number) {
  std::vector<std::byte> bytes(16 + 300, std::byte{0});
  for (std::size_t i = 0; i < 16; ++i) bytes[i] = static_cast<std::byte>(i + 1);
  bytes[20] = std::byte{1};
  bytes[100] = static_cast<std::byte>(frame);
  bytes[315] = static_cast<std::byte>(number);
  return bytes;
}

TEST(CarriedSideData, UnregisteredUserDataIsReadBack) {
  for (const std::string codec : {"x264", "x265"}) {
    SCOPED_TRACE(codec);
    const TemporaryFolder folder;
    const fs::path out = folder.path() / "out.mp4";
    write_video(out, codec, "25", [&](std::int64_t frame) -> std::vector<SideDataEntry> {
      return {{AV_FRAME_DATA_SEI_UNREGISTERED, user_data(frame, 1)},
              {AV_FRAME_DATA_SEI_UNREGISTERED, user_data(frame, 2)}};
    });
    auto found = read_entries(out, AV_FRAME_DATA_SEI_UNREGISTERED);
    ASSERT_EQ(found.size(), static_cast<std::size_t>(num_frames));
    for (std::size_t frame = 0; frame < found.size(); ++frame) {
      // The first frame also has the encoder's own settings.
      if (frame == 0 && found[frame].size() == 3) found[frame].erase(found[frame].begin());
      const auto f = static_cast<std::int64_t>(frame);
      EXPECT_THAT(found[frame], testing::ElementsAre(user_data(f, 1), user_data(f, 2))) << frame;
    }
    EXPECT_EQ(test::complaints(out), "");
  }
}

TEST(CarriedSideData, SettingsOfAnEarlierEncoderStayBehind) {
  const TemporaryFolder folder;
  const fs::path in = folder.path() / "in.mkv";
  test::ffmpeg("-f lavfi -i testsrc2=size=64x48:rate=25:duration=0.8 -c:v libx264 " + in.string());
  const Buffer bytes = read_file(in);
  ASSERT_NE(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).find("x264 - core"),
            std::string_view::npos)
      << "x264 signs its work";
  const fs::path out = folder.path() / "out.mkv";
  test::TranscodeSettings settings;
  settings.request.codec = "x265";
  test::transcode(in, out, settings);
  for (const auto& entries : read_entries(out, AV_FRAME_DATA_SEI_UNREGISTERED))
    for (const auto& entry : entries)
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(entry.data()), entry.size()).find("x264"),
                std::string::npos);
}

TEST(CarriedSideData, ActiveFormatOfH264FramesIsReadBack) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out.mp4";
  write_video(out, "x264", "25", [](std::int64_t frame) -> std::vector<SideDataEntry> {
    return {{AV_FRAME_DATA_AFD, {static_cast<std::byte>(8 + frame % 8)}}};
  });
  const auto found = read_entries(out, AV_FRAME_DATA_AFD);
  ASSERT_EQ(found.size(), static_cast<std::size_t>(num_frames));
  for (std::size_t frame = 0; frame < found.size(); ++frame)
    EXPECT_THAT(found[frame],
                testing::ElementsAre(testing::ElementsAre(static_cast<std::byte>(8 + frame % 8))));
  EXPECT_EQ(test::complaints(out), "");
}

TEST(CarriedSideData, HostileCountsAreCut) {
  AVDynamicHDRPlus m{};
  std::memset(&m, 0xFF, sizeof m);
  EXPECT_LT(hdr10_plus_message(m).payload.size(), 4000U);
  const std::array<std::uint32_t, 2> short_of{1000, 0xFFFFFFFF};
  EXPECT_LT(timecode_message(short_of, {25, 1}).payload.size(), 16U);
  EXPECT_EQ(timecode_message({}, {0, 0}).payload.size(), 1U);
}

}  // namespace
}  // namespace atelier::media
