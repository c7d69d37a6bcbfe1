// What the output cannot hold is named, before the job where it can be known then.
#include "output_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string_view>

#include "atelier/base/handle.h"
#include "media/decoded.h"
#include "media/transcode.h"
#include "side_data.h"

namespace atelier::media {
namespace {
namespace fs = std::filesystem;
using test::ffmpeg;
using test::transcode;
using test::Transcoded;
using test::TranscodeSettings;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

MuxerConfig muxer_config(const Transcoded& done, const fs::path& output) {
  MuxerConfig config;
  config.output = output;
  config.scratch = output.parent_path();
  config.start_id = "test";
  config.input = done.info;
  config.encoder = done.encoder;
  return config;
}

class OutputCheck : public testing::Test {
 protected:
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }
  /// 10 frames of 64x48 whose transparency grows from left to right and with time.
  [[nodiscard]] fs::path transparent(const std::string& name, const std::string& codec) const {
    ffmpeg(
        "-f lavfi -i \"testsrc2=size=64x48:rate=10:duration=1,format=yuva420p,"
        "geq=lum=p(X\\,Y):cb=p(X\\,Y):cr=p(X\\,Y):a=2*X+10*N\" -c:v " +
        codec + " " + path(name).string());
    return path(name);
  }
  static std::string alpha_mode(const fs::path& file) {
    return test::stream_entries(file, "v:0", "stream_tags=alpha_mode");
  }
  static std::string sentences(const Transcoded& done) { return join(done.warnings, "|"); }

 private:
  TemporaryFolder folder_{"atelier-output-check-test"};
};

TEST_F(OutputCheck, AlphaOfVp8AndVp9IsReadAndKept) {
  for (const std::string codec : {"libvpx", "libvpx-vp9"}) {
    SCOPED_TRACE(codec);
    const fs::path clip = transparent("in.webm", codec + " -auto-alt-ref 0 -b:v 1M");
    ASSERT_EQ(alpha_mode(clip), "tag:alpha_mode=1");
    const test_support::Decoded before = test_support::decode(clip);
    ASSERT_TRUE(before.info.format.has_alpha);
    ASSERT_EQ(before.planes.size(), 10U);
    // The last plane is the transparency; it is no single value.
    const auto& planes = before.planes.front();
    EXPECT_NE(planes.data()[planes.size() - 1], planes.data()[planes.size() - 64]);

    TranscodeSettings lossless;
    lossless.chunk_frames = 4;
    lossless.request.codec = "ffv1";
    EXPECT_THAT(transcode(clip, path("out.mkv"), lossless).warnings, IsEmpty());
    EXPECT_EQ(test_support::decode(path("out.mkv")).hashes, before.hashes);
  }
}

TEST_F(OutputCheck, AlphaGoesIntoWebm) {
  for (const std::string codec : {"vp9", "vp8"}) {
    SCOPED_TRACE(codec);
    const fs::path clip = transparent("in.mkv", "ffv1");
    TranscodeSettings settings;
    settings.chunk_frames = 4;
    settings.request.codec = codec;
    settings.request.crf = 4;
    EXPECT_THAT(transcode(clip, path("out.webm"), settings).warnings, IsEmpty());
    EXPECT_EQ(alpha_mode(path("out.webm")), "tag:alpha_mode=1");
    const test_support::Decoded before = test_support::decode(clip);
    const test_support::Decoded after = test_support::decode(path("out.webm"));
    ASSERT_TRUE(after.info.format.has_alpha);
    ASSERT_EQ(after.planes.size(), before.planes.size());
    constexpr std::size_t alpha_bytes = 64 * 48;
    double sum = 0;
    for (std::size_t k = 0; k < before.planes.size(); ++k) {
      const std::size_t begin = before.planes[k].size() - alpha_bytes;
      for (std::size_t i = begin; i < before.planes[k].size(); ++i)
        sum += std::abs(std::to_integer<int>(before.planes[k].data()[i]) -
                        std::to_integer<int>(after.planes[k].data()[i]));
    }
    // Of 255; the codecs are lossy. Opaque throughout would be some 150.
    EXPECT_LT(sum / static_cast<double>(alpha_bytes * before.planes.size()), 3.0);
  }
}

TEST_F(OutputCheck, AlphaThatCannotBeKeptIsNamedAndNotClaimed) {
  const fs::path clip = transparent("in.webm", "libvpx-vp9 -auto-alt-ref 0 -b:v 1M");
  TranscodeSettings settings;
  settings.request.codec = "x264";
  EXPECT_THAT(sentences(transcode(clip, path("out.mkv"), settings)), HasSubstr("transparency is dropped"));
  EXPECT_EQ(alpha_mode(path("out.mkv")), "");
  settings.request.codec = "vp9";
  const Transcoded in_mp4 = transcode(clip, path("out.mp4"), settings);
  EXPECT_THAT(sentences(in_mp4), HasSubstr("transparency of stream 0"));
  EXPECT_THAT(Muxer::rehearse(muxer_config(in_mp4, path("again.mp4"))).warnings,
              testing::ElementsAre(HasSubstr("transparency of stream 0")));
}

/// Puts box into the sample entry of an MP4 whose index comes last, so that no offset changes.
void add_to_sample_entry(const fs::path& file, const std::string& entry, const std::string& box) {
  const Buffer old = read_file(file);
  std::string bytes(reinterpret_cast<const char*>(old.data()), old.size());
  const auto size_at = [&](std::size_t at) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(bytes[at + i]);
    return size;
  };
  std::size_t from = 0;
  std::size_t end = 0;
  for (const std::string& name : {std::string("moov"), std::string("trak"), std::string("mdia"),
                                  std::string("minf"), std::string("stbl"), std::string("stsd"), entry}) {
    const std::size_t at = bytes.find(name, from) - 4;
    ASSERT_LT(at, bytes.size()) << name;
    end = at + size_at(at);
    const std::size_t size = size_at(at) + box.size();
    for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(size >> (24 - 8 * i) & 0xFF);
    from = at + 8;
  }
  bytes.insert(end, box);
  fs::remove(file);
  write_file_once(file, std::as_bytes(std::span(bytes)));
}

TEST_F(OutputCheck, DolbyVisionIsNamed) {
  ffmpeg(
      "-f lavfi -i testsrc2=size=64x48:rate=10:duration=1 -c:v libx265 -x265-params log-level=none -tag:v "
      "hvc1 " +
      path("in.mp4").string());
  // Profile 8, level 1, with an RPU and a base layer that HDR10 players show.
  std::string box(
      "\x00\x00\x00\x20"
      "dvvC"
      "\x01\x00\x10\x0d\x10",
      13);
  box.resize(32, '\0');
  add_to_sample_entry(path("in.mp4"), "hvc1", box);
  ASSERT_NE(test::stream_entries(path("in.mp4"), "v:0", "stream_side_data=dv_profile"), "");
  const Transcoded done = transcode(path("in.mp4"), path("out.mp4"));
  EXPECT_THAT(sentences(done), HasSubstr("Dolby Vision configuration of stream 0"));
  EXPECT_EQ(test::stream_entries(path("out.mp4"), "v:0", "stream_side_data=dv_profile"), "")
      << "a player would look for what is not there";
}

TEST_F(OutputCheck, SideDataOfFramesThatCannotTravelIsNamed) {
  const FramePtr frame = make_frame();
  ASSERT_NE(av_frame_new_side_data(frame.get(), AV_FRAME_DATA_DOVI_RPU_BUFFER, 9), nullptr);
  ASSERT_NE(av_frame_new_side_data(frame.get(), AV_FRAME_DATA_A53_CC, 3), nullptr);
  ASSERT_NE(av_frame_new_side_data(frame.get(), AV_FRAME_DATA_REGIONS_OF_INTEREST, 9), nullptr);
  const std::vector<std::byte> packed = pack_frame_side_data(*frame);
  EXPECT_THAT(frame_kinds_of(packed),
              testing::ElementsAre(AV_FRAME_DATA_A53_CC, AV_FRAME_DATA_DOVI_RPU_BUFFER));
  const FramePtr other = make_frame();
  unpack_frame_side_data(packed, *other);
  EXPECT_EQ(other->nb_side_data, 1) << "only captions travel";

  ffmpeg("-f lavfi -i testsrc2=size=64x48:rate=10:duration=1 -c:v ffv1 " + path("in.mkv").string());
  TranscodeSettings settings;
  settings.request.codec = "ffv1";
  const Transcoded done = transcode(path("in.mkv"), path("out.mkv"), settings);
  EXPECT_THAT(done.warnings, IsEmpty());
  MuxerConfig config = muxer_config(done, path("again.mkv"));
  config.input.first_frame_side_data = packed;
  const Rehearsal rehearsal = Muxer::rehearse(config);
  ASSERT_EQ(rehearsal.warnings.size(), 1U);
  EXPECT_THAT(rehearsal.warnings[0],
              testing::AllOf(HasSubstr("captions of the frames"),
                             HasSubstr(av_frame_side_data_name(AV_FRAME_DATA_DOVI_RPU_BUFFER))));
  EXPECT_THAT(rehearsal.known_losses,
              testing::ElementsAre(AV_FRAME_DATA_A53_CC, AV_FRAME_DATA_DOVI_RPU_BUFFER));
  EXPECT_FALSE(fs::exists(path("again.mkv")));
}

TEST_F(OutputCheck, WhatComesMidwayIsNamedOnce) {
  ffmpeg("-f lavfi -i testsrc2=size=64x48:rate=10:duration=1 -c:v ffv1 " + path("in.mkv").string());
  TranscodeSettings settings;
  settings.request.codec = "ffv1";
  EncoderConfig encoder = transcode(path("in.mkv"), path("out.mkv"), settings).encoder;
  const auto said = [&](int kind) {
    testing::internal::CaptureStderr();
    VideoReader reader({.path = path("in.mkv")});
    for (int chunk = 0; chunk < 2; ++chunk) {
      SegmentEncoder one(encoder, chunk, 4 * chunk);
      for (int k = 0; k < 4; ++k) {
        FramePlanes frame = *reader.read();
        if (k > 1) frame.info.side_data = pack_entries({{kind, {}}});
        one.write(frame);
      }
      one.finish();
    }
    return testing::internal::GetCapturedStderr();
  };
  encoder.known_losses = {AV_FRAME_DATA_DOVI_METADATA};
  EXPECT_EQ(said(AV_FRAME_DATA_DOVI_METADATA), "") << "it was said before the job";
  const std::string once = said(AV_FRAME_DATA_DYNAMIC_HDR_VIVID);
  EXPECT_THAT(once, HasSubstr("HDR Vivid metadata"));
  EXPECT_EQ(once.find("HDR Vivid"), once.rfind("HDR Vivid"));
}

TEST_F(OutputCheck, WhatIsKnownBeforeTheJobIsSaidThenAndOnlyThen) {
  write_file_once(path("s.srt"),
                  std::as_bytes(std::span(std::string_view("1\n00:00:00,100 --> 00:00:00,900\nHello\n\n"))));
  ffmpeg(
      "-f lavfi -i testsrc2=size=64x48:rate=25:duration=1 -f lavfi -i sine=duration=1 -f lavfi -i "
      "sine=duration=1 -i " +
      path("s.srt").string() +
      " -map 0 -map 1 -map 2 -map 3 -c:v libx264 -pix_fmt yuv420p -c:a libopus -c:s srt "
      "-metadata:s:a:0 language=ger -disposition:a:0 default -disposition:a:1 original " +
      path("in.mkv").string());
  const Transcoded done = transcode(path("in.mkv"), path("out.mp4"));
  EXPECT_THAT(sentences(done), HasSubstr("Stream 3 (subtitle, subrip) is left out: MP4 cannot hold it."));
  EXPECT_THAT(sentences(done), HasSubstr("disposition 'original' of stream 2"));
  MuxerConfig config = muxer_config(done, path("again.mp4"));
  const Rehearsal rehearsal = Muxer::rehearse(config);
  EXPECT_EQ(join(rehearsal.warnings, "|"), sentences(done));
  config.said = rehearsal.said;
  Muxer muxer(config);
  VideoReader reader({.path = path("in.mkv")});
  SegmentEncoder encoder(config.encoder, 0, 0);
  while (const std::optional<FramePlanes> frame = reader.read()) encoder.write(*frame);
  muxer.write(encoder.finish());
  muxer.close();
  EXPECT_THAT(muxer.warnings(), IsEmpty());
}

TEST_F(OutputCheck, ProgrammesStayOrAreNamed) {
  ffmpeg(
      "-f lavfi -i testsrc2=size=64x48:rate=25:duration=1 -f lavfi -i "
      "testsrc2=size=128x72:rate=25:duration=1 "
      "-f lavfi -i sine=duration=1 -map 0 -map 1 -map 2 -c:v libx264 -pix_fmt yuv420p -c:a mp2 "
      "-program title=A:st=0 -program title=B:st=1:st=2 " +
      path("in.ts").string());
  const auto programmes = [](const fs::path& file) {
    return test::ffprobe_lines(
        "-show_entries program=program_num,nb_streams:program_tags=service_name "
        "-of compact " +
        file.string() + " | grep ^program");
  };
  ASSERT_EQ(programmes(path("in.ts")).size(), 2U);
  EXPECT_THAT(sentences(transcode(path("in.ts"), path("out.mkv"))),
              HasSubstr("the division into 2 programmes"));
  const Transcoded in_ts = transcode(path("in.ts"), path("out.ts"));
  EXPECT_THAT(sentences(in_ts), Not(HasSubstr("programme")));
  EXPECT_EQ(programmes(path("out.ts")), programmes(path("in.ts")));
}

}  // namespace
}  // namespace atelier::media
