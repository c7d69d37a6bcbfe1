#include "atelier/media/packet_chunk.h"

#include "atelier/base/byte_stream.h"
#include "atelier/frame/message_bytes.h"

namespace atelier::media {
namespace {

// Of a packet without data.
constexpr std::size_t min_packet_bytes = 8 + 8 + 8 + 4 + 8 + 8;

CodedPacket get_packet(ByteReader& in) {
  CodedPacket packet;
  packet.pts_ticks = in.get<std::int64_t>();
  packet.dts_ticks = in.get<std::int64_t>();
  packet.duration_ticks = in.get<std::int64_t>();
  packet.flags = in.get<std::int32_t>();
  packet.data = in.get_bytes();
  packet.side_data = in.get_bytes();
  return packet;
}

void check(const PacketChunk& chunk) {
  if (chunk.chunk.index < 0 || chunk.chunk.first_frame < 0 ||
      chunk.chunk.end_frame <= chunk.chunk.first_frame || chunk.pts_ticks.empty() ||
      chunk.chunk.num_frames() != static_cast<std::int64_t>(chunk.pts_ticks.size()))
    throw_malformed_message("a chunk's numbers of frames do not agree");
  for (std::size_t i = 1; i < chunk.pts_ticks.size(); ++i)
    if (chunk.pts_ticks[i] <= chunk.pts_ticks[i - 1])
      throw_malformed_message("the times of a chunk's frames go back");
  if (chunk.num_packets_before_entry < 0 ||
      chunk.num_packets_before_entry >= static_cast<std::int64_t>(chunk.packets.size()))
    throw_malformed_message("a chunk has no packet to begin with");
}

}  // namespace

Buffer pack(const DecoderSetup& setup) {
  ByteWriter out;
  out.put<std::uint64_t>(setup.parameters.size());
  for (const auto& [name, value] : setup.parameters) {
    out.put_text(name);
    out.put(value);
  }
  out.put_bytes(setup.extradata);
  out.put_bytes(setup.side_data);
  put(out, setup.time_base);
  put(out, setup.first);
  put(out, setup.format);
  out.put_bytes(setup.first_frame_side_data);
  out.put<std::uint8_t>(setup.are_pictures ? 1 : 0);
  return Buffer(out.bytes());
}

DecoderSetup unpack_decoder_setup(std::span<const std::byte> bytes) {
  return read_message(bytes, [](ByteReader& in) {
    DecoderSetup setup;
    const std::size_t num_parameters = in.get_count(2 * sizeof(std::uint64_t));
    for (std::size_t i = 0; i < num_parameters; ++i) {
      std::string name = in.get_text();
      setup.parameters.emplace_back(std::move(name), in.get<std::int64_t>());
    }
    setup.extradata = in.get_vector();
    setup.side_data = in.get_vector();
    setup.time_base = get_rational(in);
    setup.first = get_format(in);
    setup.format = get_format(in);
    setup.first_frame_side_data = in.get_vector();
    setup.are_pictures = in.get<std::uint8_t>() != 0;
    return setup;
  });
}

Buffer pack(const PacketChunk& chunk) {
  ByteWriter out;
  out.put(chunk.chunk.index);
  out.put(chunk.chunk.first_frame);
  out.put(chunk.chunk.end_frame);
  out.put<std::uint64_t>(chunk.pts_ticks.size());
  for (const std::int64_t pts : chunk.pts_ticks) out.put(pts);
  out.put<std::uint8_t>(chunk.begins_video ? 1 : 0);
  out.put(chunk.entry_pts_ticks);
  out.put(chunk.num_packets_before_entry);
  out.put<std::uint64_t>(chunk.packets.size());
  for (const CodedPacket& packet : chunk.packets) {
    out.put(packet.pts_ticks);
    out.put(packet.dts_ticks);
    out.put(packet.duration_ticks);
    out.put(packet.flags);
    out.put_bytes(packet.data);
    out.put_bytes(packet.side_data);
  }
  return Buffer(out.bytes());
}

PacketChunk unpack_packet_chunk(std::span<const std::byte> bytes) {
  return read_message(bytes, [](ByteReader& in) {
    PacketChunk chunk;
    chunk.chunk.index = in.get<std::int64_t>();
    chunk.chunk.first_frame = in.get<std::int64_t>();
    chunk.chunk.end_frame = in.get<std::int64_t>();
    chunk.pts_ticks.resize(in.get_count(sizeof(std::int64_t)));
    for (std::int64_t& pts : chunk.pts_ticks) pts = in.get<std::int64_t>();
    chunk.begins_video = in.get<std::uint8_t>() != 0;
    chunk.entry_pts_ticks = in.get<std::int64_t>();
    chunk.num_packets_before_entry = in.get<std::int64_t>();
    const std::size_t num_packets = in.get_count(min_packet_bytes);
    chunk.packets.reserve(num_packets);
    for (std::size_t i = 0; i < num_packets; ++i) chunk.packets.push_back(get_packet(in));
    check(chunk);
    return chunk;
  });
}

}  // namespace atelier::media
