// What one processor decodes, scales and encodes, every other does: all comparisons are exact.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/base/hash.h"
#include "atelier/media/encoder.h"
#include "atelier/media/encoder_processor.h"
#include "media/decoded.h"
#include "media/ffmpeg_tools.h"

extern "C" {
#include <libavutil/cpu.h>
}

namespace atelier::media {
namespace {

// FFmpeg as on a processor with these instructions only, as long as it lives.
class Processor {
 public:
  explicit Processor(const char* flags) {
    unsigned parsed = 0;
    EXPECT_GE(av_parse_cpu_caps(&parsed, flags), 0) << flags;
    av_force_cpu_flags(static_cast<int>(parsed));
  }
  ~Processor() { av_force_cpu_flags(-1); }
  Processor(const Processor&) = delete;
  Processor& operator=(const Processor&) = delete;
};

const std::vector<const char*> older{"avx2", "ssse3", "sse2", "0"};

EncoderConfig encoder_of(const std::string& codec, const std::string& pixel_format,
                         std::vector<std::pair<std::string, std::string>> options = {}) {
  InputInfo info;
  info.format.width_px = 64;
  info.format.height_px = 48;
  info.format.pixel_format = pixel_format;
  if (pixel_format.starts_with("yuv422")) info.format.log2_chroma_h = 0;
  if (pixel_format.ends_with("10le")) info.format.bit_depth = 10;
  info.time_base = {1, 12800};
  info.frame_rate = {25, 1};
  EncodeRequest request;
  request.codec = codec;
  request.options = std::move(options);
  std::vector<std::string> warnings;
  return resolve_encoder(request, info, "out.mkv", warnings);
}

// Noise that moves, so that everything an encoder can do is done.
std::uint64_t encoded(const EncoderConfig& config) {
  SegmentEncoder encoder(config, 0, 0);
  for (std::int64_t i = 0; i < 8; ++i) {
    FramePlanes frame;
    frame.info.frame_index = i;
    frame.info.pts_ticks = i * 512;
    frame.planes = Buffer(frame_bytes(config.input));
    std::uint32_t state = 1;
    for (std::size_t k = 0; k < frame.planes.size(); ++k) {
      state = state * 1664525 + 1013904223;
      const bool high_byte = config.input.bit_depth > 8 && k % 2 == 1;
      const auto value = high_byte ? 1 : 60 + (k + static_cast<std::size_t>(3 * i)) % 64 + (state >> 26);
      frame.planes.data()[k] = static_cast<std::byte>(value);
    }
    encoder.write(frame);
  }
  Hasher hasher;
  for (const SegmentPacket& packet : encoder.finish().packets) hasher.update(packet.data);
  return hasher.digest();
}

TEST(AnyProcessorEncodesAlike, IsTrueOfFfmpegsOwnThatAreListed) {
  for (const auto& [codec, pixels] :
       std::vector<std::pair<const char*, const char*>>{{"mpeg1video", "yuv420p"},
                                                        {"mpeg2", "yuv420p"},
                                                        {"mpeg4", "yuv420p"},
                                                        {"prores", "yuv422p10le"},
                                                        {"ffv1", "yuv420p"}}) {
    const EncoderConfig config = encoder_of(codec, pixels);
    EXPECT_TRUE(any_processor_encodes_alike(config)) << codec;
    const std::uint64_t here = encoded(config);
    for (const char* flags : older) {
      const Processor processor(flags);
      EXPECT_EQ(encoded(config), here) << codec << " on " << flags;
    }
  }
}

TEST(AnyProcessorEncodesAlike, IsTrueOfLibrariesThatCanBeToldToDoWithoutSimd) {
  for (const auto& [codec, option] :
       std::vector<std::pair<const char*, const char*>>{{"x264", "asm"}, {"x265", "asm"}}) {
    const EncoderConfig config = encoder_of(codec, "yuv420p");
    EXPECT_TRUE(any_processor_encodes_alike(config)) << codec;
    EXPECT_EQ(encoded(encoder_of(codec, "yuv420p", {{option, "0"}})), encoded(config)) << codec;
  }
}

TEST(EncoderProcessor, IsTheSimdLevelWhereBitsDependOnIt) {
  EXPECT_EQ(encoder_processor(encoder_of("x264", "yuv420p")), "");
  EXPECT_EQ(encoder_processor(encoder_of("mpeg2", "yuv420p")), "");
  const EncoderConfig other_dct = encoder_of("mpeg2", "yuv420p", {{"dct", "auto"}});
  const EncoderConfig dependent = encoder_of("x264", "yuv420p", {{"x264-params", "cpu-independent=0"}});
  for (const EncoderConfig& config : {other_dct, dependent, encoder_of("mjpeg", "yuv420p")}) {
    EXPECT_FALSE(any_processor_encodes_alike(config)) << config.encoder;
    EXPECT_NE(encoder_processor(config), "") << config.encoder;
    const Processor processor("sse2");
    EXPECT_EQ(encoder_processor(config), "SSE2") << config.encoder;
  }
}

TEST(VideoReader, DecodesAndScalesAlikeOnAnyProcessor) {
  const TemporaryFolder folder;
  for (const auto& [name, options] : std::vector<std::pair<const char*, const char*>>{
           {"a.mp4", "-c:v libx264 -pix_fmt yuv420p"},
           {"a.mkv", "-c:v libx265 -x265-params log-level=none -pix_fmt yuv422p10le"},
           {"a.ts", "-c:v mpeg2video -q:v 3"},
           {"a.avi", "-c:v mpeg4 -q:v 3"},
           {"a.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"},
           {"a.mov", "-c:v prores_ks -pix_fmt yuv422p10le"},
           {"a.nut", "-c:v rawvideo -pix_fmt rgb24"}}) {
    const auto clip = folder.path() / name;
    test::ffmpeg(
        concat("-f lavfi -i testsrc2=size=176x144:rate=25:duration=0.4 ", options, " ", clip.string()));
    for (const int height_px : {0, 90}) {
      VideoReaderConfig config;
      config.path = clip;
      config.height_px = height_px;
      const std::vector<std::uint64_t> here = test_support::decode(config).hashes;
      ASSERT_EQ(here.size(), 10U) << name;
      for (const char* flags : older) {
        const Processor processor(flags);
        EXPECT_EQ(test_support::decode(config).hashes, here) << name << " " << height_px << " on " << flags;
      }
    }
  }
}

}  // namespace
}  // namespace atelier::media
