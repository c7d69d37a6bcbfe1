#pragma once

// What the tests of packet chunks share.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "atelier/base/hash.h"
#include "atelier/media/packet_decoder.h"
#include "atelier/media/packet_reader.h"
#include "atelier/media/video_reader.h"

namespace atelier::media::test_support {

/// All that the two ways of decoding must agree on.
struct SeenFrame {
  std::int64_t frame_index = 0;
  std::int64_t pts_ticks = 0;
  std::int64_t duration_ticks = 0;
  bool interlaced = false;
  bool top_field_first = false;
  int repeat_pict = 0;
  std::vector<std::byte> side_data;
  std::uint64_t samples = 0;  ///< hash
  bool operator==(const SeenFrame&) const = default;
};

inline SeenFrame seen(const FramePlanes& frame) {
  const FrameInfo& info = frame.info;
  return {info.frame_index,     info.pts_ticks,   info.duration_ticks, info.interlaced,
          info.top_field_first, info.repeat_pict, info.side_data,      hash64(frame.planes.bytes())};
}

struct ByPackets {
  std::vector<SeenFrame> frames;  ///< of whole chunks before anything odd
  std::string obstacle;           ///< of the reader
  std::string fault;              ///< of the decoder
  std::int64_t num_decoded = 0;
  std::int64_t num_chunks = 0;
  std::vector<std::uint64_t> hashes;
};

/// Each chunk by a decoder that has not seen the others.
inline ByPackets decode_by_packets(const VideoReaderConfig& config, std::int64_t chunk_frames) {
  const VideoReader video(config);
  PacketReader packets({config.path, config.stream, config.start_s, config.duration_s, chunk_frames});
  const Buffer setup = pack(packets.decoder_setup(video.info()));
  ByPackets out;
  while (std::optional<PackedChunk> chunk = packets.read()) {
    EXPECT_EQ(chunk->chunk.index, out.num_chunks++);
    EXPECT_EQ(chunk->chunk.first_frame, static_cast<std::int64_t>(out.frames.size()));
    EXPECT_LE(chunk->chunk.num_frames(), chunk_frames);
    EXPECT_EQ(chunk->chunk.num_frames(), static_cast<std::int64_t>(chunk->pts_ticks.size()));
    out.hashes.push_back(chunk->hash);
    PacketDecoder decoder(setup.bytes());
    std::vector<SeenFrame> frames;
    const PacketDecoder::Outcome outcome = decoder.decode(chunk->bytes.bytes(), [&](FramePlanes frame) {
      frames.push_back(seen(frame));
      return true;
    });
    if (!outcome.fault.empty()) {
      out.fault = outcome.fault;
      return out;
    }
    out.num_decoded += outcome.num_decoded_frames;
    EXPECT_EQ(frames.size(), chunk->pts_ticks.size());
    out.frames.insert(out.frames.end(), frames.begin(), frames.end());
  }
  out.obstacle = packets.obstacle();
  return out;
}

inline std::vector<SeenFrame> decode_whole(const VideoReaderConfig& config) {
  VideoReader reader(config);
  std::vector<SeenFrame> frames;
  while (const std::optional<FramePlanes> frame = reader.read()) frames.push_back(seen(*frame));
  return frames;
}

/// The first frame that differs, for a message a person can read.
inline void expect_same_start(const std::vector<SeenFrame>& ours, const std::vector<SeenFrame>& all) {
  ASSERT_LE(ours.size(), all.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const SeenFrame& a = ours[i];
    const SeenFrame& b = all[i];
    ASSERT_EQ(a.pts_ticks, b.pts_ticks) << "frame " << i;
    ASSERT_EQ(a.duration_ticks, b.duration_ticks) << "frame " << i;
    ASSERT_EQ(a.samples == b.samples, true) << "samples of frame " << i;
    ASSERT_EQ(a.side_data, b.side_data) << "frame " << i;
    ASSERT_EQ(a == b, true) << "description of frame " << i;
  }
}

}  // namespace atelier::media::test_support
