#include "atelier/pipeline/encoding_protocol.h"

#include <cstdint>
#include <string>
#include <utility>

#include "atelier/base/byte_stream.h"
#include "atelier/frame/message_bytes.h"

namespace atelier::pipeline {
namespace {

// Of a packet without data.
constexpr std::size_t min_packet_bytes = 8 + 8 + 8 + 1 + 8;

Segment get_segment(ByteReader& in) {
  Segment segment;
  segment.chunk_index = in.get<std::int64_t>();
  segment.first_frame = in.get<std::int64_t>();
  segment.encode_s = in.get<double>();
  segment.extradata = in.get_vector();
  const std::size_t count = in.get_count(min_packet_bytes);
  segment.packets.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    SegmentPacket packet;
    packet.data = in.get_vector();
    packet.pts_ticks = in.get<std::int64_t>();
    packet.duration_ticks = in.get<std::int64_t>();
    packet.key = in.get<std::uint8_t>() != 0;
    packet.side_data = in.get_vector();
    segment.packets.push_back(std::move(packet));
  }
  return segment;
}

}  // namespace

Buffer pack(const FrameInfo& info) {
  ByteWriter out;
  out.put(info.frame_index);
  out.put(info.pts_ticks);
  out.put(info.duration_ticks);
  out.put<std::uint8_t>(info.interlaced ? 1 : 0);
  out.put<std::uint8_t>(info.top_field_first ? 1 : 0);
  out.put<std::int32_t>(info.repeat_pict);
  out.put(info.decode_s);
  out.put_bytes(info.side_data);
  return Buffer(out.bytes());
}

FrameInfo unpack_frame_info(const Buffer& bytes) {
  return read_message(bytes.bytes(), [](ByteReader& in) {
    FrameInfo info;
    info.frame_index = in.get<std::int64_t>();
    info.pts_ticks = in.get<std::int64_t>();
    info.duration_ticks = in.get<std::int64_t>();
    info.interlaced = in.get<std::uint8_t>() != 0;
    info.top_field_first = in.get<std::uint8_t>() != 0;
    info.repeat_pict = in.get<std::int32_t>();
    info.decode_s = in.get<double>();
    info.side_data = in.get_vector();
    return info;
  });
}

Buffer pack(const EncodedChunk& chunk) {
  ByteWriter out;
  out.put<std::uint64_t>(chunk.encode_s.size());
  for (const float seconds : chunk.encode_s) out.put(seconds);
  out.put<std::uint64_t>(chunk.begin_s.size());
  for (const double seconds : chunk.begin_s) out.put(seconds);
  for (const double seconds : {chunk.flush_begin_s, chunk.end_s, chunk.clock_s}) out.put(seconds);
  const Segment& segment = chunk.segment;
  out.put(segment.chunk_index);
  out.put(segment.first_frame);
  out.put(segment.encode_s);
  out.put_bytes(segment.extradata);
  out.put<std::uint64_t>(segment.packets.size());
  for (const SegmentPacket& packet : segment.packets) {
    out.put_bytes(packet.data);
    out.put(packet.pts_ticks);
    out.put(packet.duration_ticks);
    out.put<std::uint8_t>(packet.key ? 1 : 0);
    out.put_bytes(packet.side_data);
  }
  return Buffer(out.bytes());
}

EncodedChunk unpack_encoded_chunk(const Buffer& bytes) {
  return read_message(bytes.bytes(), [](ByteReader& in) {
    EncodedChunk chunk;
    chunk.encode_s.resize(in.get_count(sizeof(float)));
    for (float& seconds : chunk.encode_s) seconds = in.get<float>();
    chunk.begin_s.resize(in.get_count(sizeof(double)));
    for (double& seconds : chunk.begin_s) seconds = in.get<double>();
    for (double* seconds : {&chunk.flush_begin_s, &chunk.end_s, &chunk.clock_s}) *seconds = in.get<double>();
    chunk.segment = get_segment(in);
    return chunk;
  });
}

Buffer pack(const media::EncoderConfig& config) {
  ByteWriter out;
  out.put_text(config.encoder);
  out.put<std::uint64_t>(config.options.size());
  for (const auto& [name, value] : config.options) {
    out.put_text(name);
    out.put_text(value);
  }
  out.put_text(config.pixel_format);
  put(out, config.input);
  put(out, config.time_base);
  put(out, config.frame_rate);
  put(out, config.sample_aspect);
  for (const int value : {config.color_primaries, config.color_transfer, config.color_matrix_tag,
                          config.color_range_tag, config.chroma_location_tag, config.field_order,
                          config.num_threads, static_cast<int>(config.global_header), config.reorder_frames})
    out.put<std::int32_t>(value);
  out.put_bytes(config.stream_side_data);
  out.put<std::uint64_t>(config.known_losses.size());
  for (const int kind : config.known_losses) out.put<std::int32_t>(kind);
  return Buffer(out.bytes());
}

media::EncoderConfig unpack_encoder(std::span<const std::byte> bytes) {
  return read_message(bytes, [](ByteReader& in) {
    media::EncoderConfig config;
    config.encoder = in.get_text();
    const std::size_t num_options = in.get_count(2 * sizeof(std::uint64_t));
    for (std::size_t i = 0; i < num_options; ++i) {
      std::string name = in.get_text();
      config.options.emplace_back(std::move(name), in.get_text());
    }
    config.pixel_format = in.get_text();
    config.input = get_format(in);
    config.time_base = get_rational(in);
    config.frame_rate = get_rational(in);
    config.sample_aspect = get_rational(in);
    for (int* value :
         {&config.color_primaries, &config.color_transfer, &config.color_matrix_tag, &config.color_range_tag,
          &config.chroma_location_tag, &config.field_order, &config.num_threads})
      *value = in.get<std::int32_t>();
    config.global_header = in.get<std::int32_t>() != 0;
    config.reorder_frames = in.get<std::int32_t>();
    config.stream_side_data = in.get_vector();
    config.known_losses.resize(in.get_count(sizeof(std::int32_t)));
    for (int& kind : config.known_losses) kind = in.get<std::int32_t>();
    return config;
  });
}

}  // namespace atelier::pipeline
