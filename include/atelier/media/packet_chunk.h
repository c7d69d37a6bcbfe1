#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "atelier/base/buffer.h"
#include "atelier/frame/chunk.h"
#include "atelier/frame/time_base.h"
#include "atelier/frame/video_format.h"

namespace atelier::media {

/// All that a decoder of packet chunks needs to know of the styled stream, beside its packets.
struct DecoderSetup {
  /// Fields of FFmpeg's AVCodecParameters by name; both ends are the same build.
  std::vector<std::pair<std::string, std::int64_t>> parameters;
  std::vector<std::byte> extradata;
  std::vector<std::byte> side_data;  ///< of the stream, in media's own coding
  TimeBase time_base;
  VideoFormat first;   ///< of the first decoded frame: the layout of all others follows it
  VideoFormat format;  ///< of the frames to give (after --height)
  std::vector<std::byte> first_frame_side_data;  ///< of that first frame
  bool are_pictures = false;                     ///< whose own orientation is to be followed
};

/// A packet of the demuxer. data and side_data (media's own coding) lie elsewhere.
struct CodedPacket {
  std::int64_t pts_ticks = 0;  ///< INT64_MIN: none, as in FFmpeg
  std::int64_t dts_ticks = 0;
  std::int64_t duration_ticks = 0;
  std::int32_t flags = 0;  ///< AV_PKT_FLAG_…
  std::span<const std::byte> data;
  std::span<const std::byte> side_data;
};

/// The packets from which the frames of one chunk are decoded, by a decoder that knows nothing else.
struct PacketChunk {
  Chunk chunk;
  std::vector<std::int64_t> pts_ticks;  ///< of its frames, in output order; strictly increasing
  bool begins_video = false;            ///< its first packet is the first one that a VideoReader decodes
  std::int64_t entry_pts_ticks = 0;     ///< frames from here on are sound if their packets are
  std::int64_t num_packets_before_entry = 0;  ///< at the beginning: what is wrong with them does not matter
  std::vector<CodedPacket> packets;           ///< in decoding order
};

Buffer pack(const DecoderSetup& setup);
Buffer pack(const PacketChunk& chunk);

/// Each throws JobError for bytes that pack did not make.
DecoderSetup unpack_decoder_setup(std::span<const std::byte> bytes);
/// Packets point into bytes.
PacketChunk unpack_packet_chunk(std::span<const std::byte> bytes);

}  // namespace atelier::media
