// A flipped bit in the slices of HEVC videos: FFmpeg's decoder often says nothing. Whoever decodes, on
// however many threads and in whatever chunks, the frames are the same, or a fault is seen where they might
// not be.
#include <cstdlib>
#include <random>

#include "atelier/base/handle.h"
#include "ffmpeg_tools.h"
#include "packet_chunks.h"

namespace atelier::media {
namespace {

using test_support::ByPackets;
using test_support::decode_by_packets;
using test_support::SeenFrame;

struct HevcClip {
  const char* name;
  const char* size;
  const char* pixels;
  const char* options;  ///< of x265
};

void PrintTo(const HevcClip& clip, std::ostream* out) {
  *out << clip.name;
}

/// Byte ranges of a file.
struct Range {
  std::size_t begin;
  std::size_t end;
};

/// Where slices lie in an MP4 file: their headers and data, without the two bytes of the NAL unit's header.
std::vector<Range> slices_of(const std::filesystem::path& path, const Buffer& bytes) {
  std::vector<Range> slices;
  for (const std::string& line : test::ffprobe_lines(
           concat("-select_streams v -show_entries packet=pos,size -of csv=p=0:nk=1 ", path.string()))) {
    const std::vector<std::string> fields = split(line, ',');
    const std::size_t size = std::stoull(fields.at(0));
    std::size_t at = std::stoull(fields.at(1));
    for (const std::size_t end = at + size; at + 6 < end;) {
      const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(bytes.data()[at + i]); };
      const std::size_t length = byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
      const std::size_t type = byte(4) >> 1 & 0x3F;
      if (type < 32) slices.push_back({at + 6, at + 4 + length});
      at += 4 + length;
    }
  }
  return slices;
}

/// Flipped bits for each clip; in the long form 400.
int num_flips() {
  const char* wanted = std::getenv("ATELIER_TEST_FLIPS");
  return wanted == nullptr ? 20 : std::atoi(wanted);
}

std::vector<SeenFrame> decode_at_root(const std::filesystem::path& path, int num_threads) {
  return test_support::decode_whole({.path = path, .num_threads = num_threads});
}

class FlippedBits : public testing::TestWithParam<HevcClip> {};

TEST_P(FlippedBits, GiveTheSameFramesWhoeverDecodes) {
  const TemporaryFolder folder("atelier-hevc-damage-test");
  const std::filesystem::path sound = folder.path() / "sound.mp4";
  const std::filesystem::path bad = folder.path() / "bad.mp4";
  test::ffmpeg(concat(
      "-f lavfi -i testsrc2=s=", GetParam().size, ":r=25:d=2 -f lavfi -i mandelbrot=s=", GetParam().size,
      ":r=25 -filter_complex [0][1]blend=all_mode=average:shortest=1,format=", GetParam().pixels,
      " -c:v libx265 -x265-params log-level=none:", GetParam().options, " ", sound.string()));
  const Buffer bytes = read_file(sound);
  const std::vector<Range> slices = slices_of(sound, bytes);
  ASSERT_GE(slices.size(), 50U);
  const std::vector<SeenFrame> whole = decode_at_root(sound, 4);
  std::mt19937 random(11);
  int num_changed = 0;
  int num_seen = 0;
  for (int flip = 0; flip < num_flips(); ++flip) {
    const Range slice = slices[random() % slices.size()];
    const std::size_t at = slice.begin + random() % (slice.end - slice.begin);
    const std::byte bit = std::byte{1} << (random() % 8);
    SCOPED_TRACE(concat("flip ", flip, ": byte ", at, ", bit ", std::to_integer<int>(bit)));
    Buffer damaged = bytes.clone();
    damaged.data()[at] ^= bit;
    std::filesystem::remove(bad);
    write_file_once(bad, damaged.bytes());
    const std::vector<SeenFrame> root = decode_at_root(bad, 4);
    EXPECT_EQ(decode_at_root(bad, 1) == root, true) << "one thread";
    if (flip % 4 == 0) {
      EXPECT_EQ(decode_at_root(bad, 7) == root, true) << "seven threads";
    }
    if (root != whole) ++num_changed;
    for (const std::int64_t chunk_frames : {7, 24}) {
      const ByPackets workers = decode_by_packets({.path = bad}, chunk_frames);
      SCOPED_TRACE(concat("chunks of ", chunk_frames, " frames, ", workers.fault));
      test_support::expect_same_start(workers.frames, root);
      const bool seen = !workers.fault.empty() || !workers.obstacle.empty();
      if (!seen) {
        EXPECT_EQ(workers.frames.size(), root.size());
      }
      if (seen && chunk_frames == 24) ++num_seen;
    }
  }
  std::printf("%s: %d of %d flips change frames, %d are seen as damage\n", GetParam().name, num_changed,
              num_flips(), num_seen);
  EXPECT_GT(num_changed, num_flips() / 2);
}

INSTANTIATE_TEST_SUITE_P(
    Hevc, FlippedBits,
    testing::Values(HevcClip{"open_gop", "128x72", "yuv420p",
                             "keyint=12:min-keyint=12:open-gop=1:bframes=4:b-adapt=0:scenecut=0"},
                    HevcClip{"closed_gop_b_pyramid", "192x108", "yuv420p",
                             "keyint=20:open-gop=0:bframes=8:b-adapt=0:b-pyramid=1:ref=5:scenecut=0:ctu=16"},
                    HevcClip{"no_wpp_10_bit", "160x120", "yuv420p10le",
                             "keyint=15:open-gop=1:bframes=3:no-wpp=1:ctu=32:tu-intra-depth=3"},
                    HevcClip{"slices", "208x160", "yuv420p",
                             "keyint=15:open-gop=0:slices=4:ctu=16:bframes=3:scenecut=0"},
                    HevcClip{"phone", "256x144", "yuv420p",
                             "keyint=25:open-gop=0:bframes=0:ref=1:no-wpp=1:ctu=32:no-sao=1:bitrate=300"}),
    [](const auto& clip) { return std::string(clip.param.name); });

}  // namespace
}  // namespace atelier::media
