// After damage one thread decodes, and many again further on: the frames are those of the one thread.
#include <gtest/gtest.h>

#include <map>

#include "atelier/base/handle.h"
#include "decoder.h"
#include "ffmpeg_tools.h"
#include "frame_source.h"
#include "media/decoded.h"

namespace atelier::media {
namespace {

using test_support::Kind;

/// Frames by their time.
using Frames = std::map<std::int64_t, std::uint64_t>;

std::uint64_t luma_hash(const AVFrame& frame) {
  Hasher hasher;
  for (int y = 0; y < frame.height; ++y)
    hasher.update(std::as_bytes(std::span(frame.data[0] + static_cast<std::ptrdiff_t>(y) * frame.linesize[0],
                                          static_cast<std::size_t>(frame.width))));
  return hasher.digest();
}

/// What one decoder with one thread gives that sees every packet and conceals what is wrong.
Frames decode_by_one_thread(const std::filesystem::path& path) {
  const std::unique_ptr<PacketSource> packets = open_packets(path, std::nullopt);
  Decoder decoder(packets->codec(), packets->time_base(), 1, false);
  Frames frames;
  const PacketPtr packet = make_packet();
  const FramePtr frame = make_frame();
  for (bool more = true; more;) {
    more = packets->read(*packet) == PacketSource::Result::packet;
    decoder.send(more ? packet.get() : nullptr);
    for (Decoder::Result result = decoder.receive(*frame);
         result == Decoder::Result::frame || result == Decoder::Result::error;
         result = decoder.receive(*frame))
      if (result == Decoder::Result::frame) frames[frame->best_effort_timestamp] = luma_hash(*frame);
    av_packet_unref(packet.get());
  }
  return frames;
}

struct Read {
  Frames frames;
  int num_concealing = 0;  ///< frames that came while one thread decoded
  int num_changes = 0;     ///< from one thread to many and back
  Damage damage;
};

Read read_all(const std::filesystem::path& path, int num_threads) {
  FrameSource source(path, std::nullopt, num_threads);
  Read out;
  bool concealed = false;
  while (const FramePtr frame = source.read()) {
    out.frames[frame->best_effort_timestamp] = luma_hash(*frame);
    out.num_concealing += source.conceals() ? 1 : 0;
    out.num_changes += source.conceals() != std::exchange(concealed, source.conceals()) ? 1 : 0;
  }
  out.damage = source.damage();
  return out;
}

class OneThread : public ::testing::TestWithParam<Kind> {
 protected:
  /// A clip of 1500 frames with some packets overwritten at these parts of the file.
  std::filesystem::path damaged(std::initializer_list<double> places) {
    const std::filesystem::path path = folder_.path() / GetParam().file;
    test::ffmpeg(concat("-f lavfi -i testsrc2=s=96x64:r=25:d=60 -vf noise=alls=6:allf=t+u,format=yuv420p ",
                        GetParam().options, " -threads 1 ", path.string()));
    Buffer bytes = read_file(path);
    for (const double place : places)
      for (std::size_t i = 0; i < 1500; ++i)
        bytes.data()[static_cast<std::size_t>(static_cast<double>(bytes.size()) * place) + i] ^=
            std::byte{0x5A};
    std::filesystem::remove(path);
    write_file_once(path, bytes.bytes());
    return path;
  }

  TemporaryFolder folder_{"atelier-one-thread-test"};
};

TEST_P(OneThread, EndsBehindTheDamage) {
  const std::filesystem::path path = damaged({0.2});
  const Read four = read_all(path, 4);
  EXPECT_GT(four.damage.num_errors, 0);
  EXPECT_EQ(four.num_changes, 2);
  EXPECT_GT(four.num_concealing, 100);
  EXPECT_LT(four.num_concealing, 600);
  EXPECT_EQ(four.frames == decode_by_one_thread(path), true);
  for (const int num_threads : {1, 7}) EXPECT_EQ(read_all(path, num_threads).frames == four.frames, true);
}

TEST_P(OneThread, ComesBackForTheNextDamage) {
  const std::filesystem::path path = damaged({0.15, 0.5});
  const Read four = read_all(path, 4);
  EXPECT_EQ(four.num_changes, 4);
  EXPECT_EQ(four.frames == decode_by_one_thread(path), true);
  const Read two = read_all(path, 2);
  EXPECT_EQ(two.frames == four.frames, true);
  EXPECT_EQ(two.damage.num_errors, four.damage.num_errors);
}

INSTANTIATE_TEST_SUITE_P(Damage, OneThread,
                         ::testing::Values(Kind{"h264.mp4", "-c:v libx264 -preset veryfast -g 30 -bf 3"},
                                           Kind{"slices.mp4",
                                                "-c:v libx264 -preset veryfast -g 30 -bf 3 -slices 4"},
                                           Kind{"mjpeg.avi", "-c:v mjpeg -q:v 3"}),
                         [](const auto& kind) { return split(kind.param.file, '.')[0]; });

}  // namespace
}  // namespace atelier::media
