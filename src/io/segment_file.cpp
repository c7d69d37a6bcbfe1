#include "atelier/io/segment_file.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "little_endian.h"

namespace atelier::io {
namespace {

constexpr std::string_view magic{"ATELSEG\x1a", 8};
constexpr std::string_view end_marker{"ATELEND\n", 8};
constexpr std::uint32_t format_version = 2;
constexpr std::size_t head_bytes = 20;  // magic, version, size
constexpr std::size_t tail_bytes = 16;  // end marker, hash
constexpr std::size_t frame_bytes = 32;
constexpr std::size_t least_packet_bytes = 33;

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

bool equals(std::span<const std::byte> bytes, std::string_view text) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == text;
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> copy_of(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

/// All but the hash.
void write_segment(const StoredSegment& stored, std::uint64_t file_bytes, LittleEndianWriter& out) {
  const Chunk chunk = stored.chunk();
  out.bytes(as_bytes(magic));
  out.number(format_version);
  out.number(file_bytes);
  out.number(stored.fingerprint.high);
  out.number(stored.fingerprint.low);
  out.number(chunk.index);
  out.number(chunk.first_frame);
  out.number(chunk.end_frame);
  out.number(stored.input_hash);
  out.number(stored.last_pts_ticks());
  out.number(stored.segment.encode_s);
  out.number(std::uint64_t{stored.reader_state.size()});
  out.number(std::uint64_t{stored.segment.extradata.size()});
  out.number(std::uint64_t{stored.segment.packets.size()});
  out.number(std::uint64_t{stored.processor.bits.size()});
  out.number(std::uint64_t{stored.processor.name.size()});
  for (const StoredFrame& frame : stored.frames) {
    out.number(frame.pts_ticks);
    out.number(frame.rank);
    for (const float seconds_s :
         {frame.decode_s, frame.transfer_s, frame.convert_s, frame.style_s, frame.encode_s})
      out.number(seconds_s);
  }
  out.bytes(stored.reader_state);
  out.bytes(stored.segment.extradata);
  out.bytes(as_bytes(stored.processor.bits));
  out.bytes(as_bytes(stored.processor.name));
  for (const SegmentPacket& packet : stored.segment.packets) {
    out.number(packet.pts_ticks);
    out.number(packet.duration_ticks);
    out.number(std::uint8_t{packet.key});
    out.number(std::uint64_t{packet.data.size()});
    out.number(std::uint64_t{packet.side_data.size()});
    out.bytes(packet.data);
    out.bytes(packet.side_data);
  }
  out.bytes(as_bytes(end_marker));
}

ParsedSegment refuse(SegmentFault fault, std::string reason) {
  return {std::nullopt, {fault, std::move(reason)}};
}

StoredFrame read_frame(LittleEndianReader& in) {
  StoredFrame frame;
  frame.pts_ticks = in.number<std::int64_t>();
  frame.rank = in.number<std::int32_t>();
  for (float* seconds_s :
       {&frame.decode_s, &frame.transfer_s, &frame.convert_s, &frame.style_s, &frame.encode_s})
    *seconds_s = in.number<float>();
  return frame;
}

/// nullopt: the packet is not what write_segment writes.
std::optional<SegmentPacket> read_packet(LittleEndianReader& in) {
  SegmentPacket packet;
  packet.pts_ticks = in.number<std::int64_t>();
  packet.duration_ticks = in.number<std::int64_t>();
  const auto key = in.number<std::uint8_t>();
  packet.key = key == 1;
  const auto data_bytes = in.number<std::uint64_t>();
  const auto side_data_bytes = in.number<std::uint64_t>();
  packet.data = copy_of(in.bytes(data_bytes));
  packet.side_data = copy_of(in.bytes(side_data_bytes));
  if (in.failed() || key > 1) return std::nullopt;
  return packet;
}

/// content: between the file's size and the end marker; the hash was right.
ParsedSegment parse_content(std::span<const std::byte> content) {
  LittleEndianReader in(content);
  StoredSegment stored;
  Segment& segment = stored.segment;
  stored.fingerprint.high = in.number<std::uint64_t>();
  stored.fingerprint.low = in.number<std::uint64_t>();
  segment.chunk_index = in.number<std::int64_t>();
  segment.first_frame = in.number<std::int64_t>();
  const auto end_frame = in.number<std::int64_t>();
  stored.input_hash = in.number<std::uint64_t>();
  const auto last_pts_ticks = in.number<std::int64_t>();
  segment.encode_s = in.number<double>();
  const auto state_bytes = in.number<std::uint64_t>();
  const auto extradata_bytes = in.number<std::uint64_t>();
  const auto num_packets = in.number<std::uint64_t>();
  const auto processor_bits_bytes = in.number<std::uint64_t>();
  const auto processor_name_bytes = in.number<std::uint64_t>();
  if (in.failed()) return refuse(SegmentFault::damaged, "its header does not fit");
  if (segment.chunk_index < 0 || segment.first_frame < 0 || end_frame <= segment.first_frame)
    return refuse(SegmentFault::damaged, concat("it says chunk ", segment.chunk_index, " with frames [",
                                                segment.first_frame, ", ", end_frame, ")"));

  const auto num_frames = static_cast<std::uint64_t>(end_frame - segment.first_frame);
  if (num_frames > in.remaining_bytes() / frame_bytes)
    return refuse(SegmentFault::damaged, concat("there is no room in it for its ", num_frames, " frames"));
  stored.frames.reserve(num_frames);
  for (std::uint64_t i = 0; i < num_frames; ++i) stored.frames.push_back(read_frame(in));
  if (stored.last_pts_ticks() != last_pts_ticks)
    return refuse(SegmentFault::damaged, "the pts of its last frame is given twice, differently");

  stored.reader_state = copy_of(in.bytes(state_bytes));
  segment.extradata = copy_of(in.bytes(extradata_bytes));
  stored.processor.bits = text_of(in.bytes(processor_bits_bytes));
  stored.processor.name = text_of(in.bytes(processor_name_bytes));
  if (num_packets > in.remaining_bytes() / least_packet_bytes)
    return refuse(SegmentFault::damaged, concat("there is no room in it for its ", num_packets, " packets"));
  segment.packets.reserve(num_packets);
  for (std::uint64_t i = 0; i < num_packets; ++i) {
    std::optional<SegmentPacket> packet = read_packet(in);
    if (!packet) return refuse(SegmentFault::damaged, concat("packet ", i, " does not fit"));
    segment.packets.push_back(std::move(*packet));
  }
  if (in.failed() || in.remaining_bytes() != 0)
    return refuse(SegmentFault::damaged, "its parts do not fill it");
  return {std::move(stored), {}};
}

}  // namespace

Buffer serialise_segment(const StoredSegment& stored) {
  if (stored.frames.empty() || stored.segment.chunk_index < 0 || stored.segment.first_frame < 0)
    throw JobError(concat("cannot store chunk ", stored.segment.chunk_index),
                   concat("it has ", stored.frames.size(), " frames from ", stored.segment.first_frame));
  LittleEndianWriter counter;
  write_segment(stored, 0, counter);
  Buffer file(counter.size_bytes() + sizeof(std::uint64_t));
  LittleEndianWriter out(file.bytes());
  write_segment(stored, file.size(), out);
  out.number(hash64(file.bytes().first(counter.size_bytes())));
  return file;
}

ParsedSegment parse_segment(std::span<const std::byte> bytes) {
  LittleEndianReader head(bytes);
  if (const auto start = bytes.first(std::min(bytes.size(), magic.size()));
      !equals(start, magic.substr(0, start.size())))
    return refuse(SegmentFault::not_a_segment, "it does not begin like a segment");
  head.bytes(magic.size());
  const auto version = head.number<std::uint32_t>();
  if (!head.failed() && version != format_version)
    return refuse(SegmentFault::other_version,
                  concat("its format has version ", version, ", this program reads ", format_version));
  const auto file_bytes = head.number<std::uint64_t>();
  if (head.failed() || bytes.size() < head_bytes + tail_bytes)
    return refuse(SegmentFault::cut, concat("only its first ", bytes.size(), " bytes are there"));
  if (file_bytes != bytes.size())
    return refuse(SegmentFault::cut, concat("it has ", bytes.size(), " bytes of ", file_bytes));

  const auto tail = bytes.last(tail_bytes);
  if (!equals(tail.first(end_marker.size()), end_marker))
    return refuse(SegmentFault::cut, "its end marker is missing");
  LittleEndianReader hash(tail.subspan(end_marker.size()));
  if (hash.number<std::uint64_t>() != hash64(bytes.first(bytes.size() - sizeof(std::uint64_t))))
    return refuse(SegmentFault::damaged, "its hash is wrong");
  return parse_content(bytes.subspan(head_bytes, bytes.size() - head_bytes - tail_bytes));
}

}  // namespace atelier::io
