#include "atelier/media/packet_reader.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "atelier/base/hash.h"
#include "atelier/base/text.h"
#include "codec_parameters.h"
#include "frame_window.h"
#include "output_order.h"
#include "packet_classifier.h"
#include "packet_faults.h"
#include "side_data.h"

namespace atelier::media {
namespace {

using Entry = PacketClassifier::Entry;

/// Compressed bytes between keyframes, beyond which chunks are not worth their transfer.
constexpr std::int64_t max_held_bytes = std::int64_t{512} << 20;
/// The same for frames that are decoded only to come to a chunk's first.
constexpr std::int64_t max_leading_frames = 1000;
constexpr const char* too_far_apart = "its keyframes are too far apart";

/// Decoders keep these for the packets that follow.
bool changes_decoder(const AVPacket& packet) {
  for (int i = 0; i < packet.side_data_elems; ++i) {
    const AVPacketSideDataType type = packet.side_data[i].type;
    if (type == AV_PKT_DATA_NEW_EXTRADATA || type == AV_PKT_DATA_PARAM_CHANGE || type == AV_PKT_DATA_PALETTE)
      return true;
  }
  return false;
}

std::vector<std::byte> side_data_of(const AVPacket& packet) {
  std::vector<SideDataEntry> entries;
  for (int i = 0; i < packet.side_data_elems; ++i) {
    const AVPacketSideData& data = packet.side_data[i];
    const auto bytes = std::as_bytes(std::span(data.data, data.size));
    entries.push_back({data.type, {bytes.begin(), bytes.end()}});
  }
  return pack_entries(entries);
}

}  // namespace

struct PacketReader::Impl {
  explicit Impl(const PacketReaderConfig& wanted)
      : config(wanted),
        source(open_packets(config.path, config.stream)),
        window(frame_window(*source, config.start_s, config.duration_s)),
        classifier(make_packet_classifier(source->codec())),
        order(classifier ? classifier->max_reorder() : 0) {
    if (!classifier) {
      obstacle = concat("not for ", avcodec_get_name(source->codec().codec_id), " video");
      return;
    }
    const AVFieldOrder fields = source->codec().field_order;
    if (keeps_field_flags(source->codec().codec_id) && fields != AV_FIELD_UNKNOWN &&
        fields != AV_FIELD_PROGRESSIVE) {
      obstacle = "its frames are interlaced";
      return;
    }
    seeked = window.begin != INT64_MIN && source->seek(window.begin);
  }

  struct Held {
    PacketPtr packet;
    bool shown;
    std::vector<std::byte> side_data;
  };
  struct EntryPoint {
    std::int64_t packet;
    std::int64_t pts;
    bool clean;
  };

  [[nodiscard]] const Held& at(std::int64_t number) const {
    return held[static_cast<std::size_t>(number - first_held)];
  }
  [[nodiscard]] std::int64_t num_read() const { return first_held + static_cast<std::int64_t>(held.size()); }

  bool fail(const std::string& why) {
    obstacle = why;
    return false;
  }

  // Reads a packet. False: none came.
  bool read_packet() {
    PacketPtr packet = make_packet();
    switch (source->read(*packet)) {
      case PacketSource::Result::packet:
        return take(std::move(packet));
      case PacketSource::Result::end:
        at_end = true;
        if (!order.finish()) return fail(order.obstacle());
        order_frames();
        return false;
      case PacketSource::Result::failed:
        return fail(source->problem());
      case PacketSource::Result::other_codec:
        return fail("its codec changes");
    }
    return false;
  }

  bool take(PacketPtr packet) {
    if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0) return fail("a packet is damaged");
    if (changes_decoder(*packet)) return fail("its parameters change");
    if (source->has_field_packets()) return fail("its fields come one by one");
    if (source->clock_changes().any()) return fail("its clock steps");
    const PacketClassifier::Kind kind = classifier->classify(*packet);
    const bool shown = kind.shown && (packet->flags & AV_PKT_FLAG_DISCARD) == 0;
    if (shown && packet->pts == AV_NOPTS_VALUE) return fail("its packets have no times");
    if (std::exchange(seeked, false)) {
      if (kind.entry == Entry::none || packet->pts > window.begin) {  // It went too far.
        source->rewind();
        return true;
      }
      if (kind.entry == Entry::after_one && !std::exchange(sought_earlier, true)) {
        seeked = source->seek(
            std::min(packet->pts, packet->dts == AV_NOPTS_VALUE ? packet->pts : packet->dts) - 1);
        if (!seeked) source->rewind();
        return true;
      }
    }
    const bool enters = kind.entry != Entry::none && packet->pts != AV_NOPTS_VALUE && (shown || !any_shown);
    if (enters) entries.push_back({num_read(), packet->pts, kind.entry == Entry::clean});
    if (shown && !order.add({packet->pts, num_read()}, enters)) return fail(order.obstacle());
    any_shown = any_shown || shown;
    held_bytes += packet->size;
    std::vector<std::byte> side_data = side_data_of(*packet);
    held.push_back({std::move(packet), shown, std::move(side_data)});
    order_frames();
    if (held_bytes > max_held_bytes) {
      forget();
      if (held_bytes > max_held_bytes) return fail(too_far_apart);
    }
    return true;
  }

  void order_frames() {
    while (const std::optional<OutputOrder::Frame> frame = order.pop()) {
      last_pts = frame->pts_ticks;
      if (frame->pts_ticks >= window.end) at_end = true;
      if (frame->pts_ticks >= window.begin && frame->pts_ticks < window.end) frames.push_back(*frame);
    }
    if (frames.empty()) forget();
  }

  // The last entry for a chunk whose first frame has that time, and whose packets begin there; null: none.
  [[nodiscard]] const EntryPoint* find_entry(std::int64_t first_packet, std::int64_t first_pts) const {
    const auto found = std::find_if(entries.rbegin(), entries.rend(), [&](const EntryPoint& entry) {
      return entry.packet <= first_packet && entry.pts <= first_pts;
    });
    return found == entries.rend() ? nullptr : &*found;
  }

  // The packet with which a decoder begins that is to be right from the entry on.
  [[nodiscard]] std::int64_t begin_for(const EntryPoint* entry) const {
    if (entry == nullptr) return first_held;
    if (entry->clean) return entry->packet;
    return entry == &entries.front() ? first_held : (entry - 1)->packet;
  }

  // Packets that no later chunk needs.
  void forget() {
    std::int64_t first_packet = order.oldest_packet().value_or(num_read());
    std::int64_t first_pts = last_pts;
    for (const OutputOrder::Frame& frame : frames) first_packet = std::min(first_packet, frame.packet);
    if (!frames.empty()) first_pts = frames.front().pts_ticks;
    const EntryPoint* entry = find_entry(first_packet, first_pts);
    if (entry == nullptr) return;
    const std::int64_t begin = begin_for(entry);
    for (; first_held < begin; ++first_held) {
      held_bytes -= held.front().packet->size;
      held.pop_front();
    }
    std::erase_if(entries, [begin](const EntryPoint& old) { return old.packet < begin; });
  }

  std::optional<PackedChunk> pack_chunk(std::size_t num_frames) {
    PackedChunk packed;
    packed.chunk = {next_chunk, next_frame, next_frame + static_cast<std::int64_t>(num_frames)};
    std::int64_t first_packet = frames.front().packet;
    std::int64_t last_packet = first_packet;
    for (std::size_t i = 0; i < num_frames; ++i) {
      packed.pts_ticks.push_back(frames[i].pts_ticks);
      first_packet = std::min(first_packet, frames[i].packet);
      last_packet = std::max(last_packet, frames[i].packet);
    }
    if (classifier->looks_ahead())
      while (last_packet + 1 < num_read() && at(++last_packet).packet->pts < packed.pts_ticks.back()) {
      }
    // A decoder gives the last frames when later ones come, and damage in those may have a say in the order.
    const std::int64_t end_packet =
        std::min(num_read(), last_packet + 1 + std::int64_t{classifier->max_reorder()});
    const EntryPoint* entry = find_entry(first_packet, packed.pts_ticks.front());
    const std::int64_t begin = begin_for(entry);
    PacketChunk chunk;
    chunk.begins_video = begin == 0 && !sought_earlier;
    chunk.chunk = packed.chunk;
    chunk.pts_ticks = packed.pts_ticks;
    chunk.entry_pts_ticks = entry == nullptr ? INT64_MIN : entry->pts;
    chunk.num_packets_before_entry = entry == nullptr ? 0 : entry->packet - begin;
    for (std::int64_t number = begin; number < end_packet; ++number) {
      const Held& one = at(number);
      const AVPacket& packet = *one.packet;
      chunk.packets.push_back(
          {.pts_ticks = packet.pts,
           .dts_ticks = packet.dts,
           .duration_ticks = packet.duration,
           .flags = packet.flags,
           .data = std::as_bytes(std::span(packet.data, static_cast<std::size_t>(packet.size))),
           .side_data = one.side_data});
      packed.num_decoded_frames += one.shown && number <= last_packet ? 1 : 0;
    }
    if (packed.num_decoded_frames - packed.chunk.num_frames() > max_leading_frames) {
      fail(too_far_apart);
      return std::nullopt;
    }
    packed.bytes = pack(chunk);
    packed.hash = hash64(packed.bytes.bytes());
    frames.erase(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(num_frames));
    next_frame = packed.chunk.end_frame;
    ++next_chunk;
    forget();
    return packed;
  }

  PacketReaderConfig config;
  std::unique_ptr<PacketSource> source;
  FrameWindow window;
  std::unique_ptr<PacketClassifier> classifier;
  OutputOrder order;
  std::string obstacle;
  bool seeked = false;  // the first packet must prove it
  bool sought_earlier = false;
  bool at_end = false;
  bool any_shown = false;
  std::int64_t last_pts = INT64_MIN;

  std::deque<Held> held;        // packets that may still be needed
  std::int64_t first_held = 0;  // number of held.front()
  std::int64_t held_bytes = 0;
  std::vector<EntryPoint> entries;        // among held
  std::deque<OutputOrder::Frame> frames;  // wanted, in output order, of no chunk yet
  std::int64_t next_frame = 0;
  std::int64_t next_chunk = 0;
};

PacketReader::PacketReader(const PacketReaderConfig& config) : impl_(std::make_unique<Impl>(config)) {}
PacketReader::~PacketReader() = default;
PacketReader::PacketReader(PacketReader&&) noexcept = default;
PacketReader& PacketReader::operator=(PacketReader&&) noexcept = default;

DecoderSetup PacketReader::decoder_setup(const InputInfo& info) const {
  DecoderSetup setup;
  const CodecParametersPtr codec(avcodec_parameters_alloc());
  if (!codec || avcodec_parameters_copy(codec.get(), &impl_->source->codec()) < 0) throw std::bad_alloc();
  // As the first frame has them, with which workers compare; decoders take theirs from the packets.
  codec->sample_aspect_ratio = {info.frame_sample_aspect.num, info.frame_sample_aspect.den};
  codec->color_primaries = static_cast<AVColorPrimaries>(info.color_primaries);
  codec->color_trc = static_cast<AVColorTransferCharacteristic>(info.color_transfer);
  store_codec_parameters(*codec, setup);
  const AVRational time_base = impl_->source->time_base();
  setup.time_base = {time_base.num, time_base.den};
  setup.format = setup.first = info.format;
  setup.first.width_px = info.coded_width_px;
  setup.first.height_px = info.coded_height_px;
  setup.first_frame_side_data = info.first_frame_side_data;
  setup.are_pictures = impl_->source->shows_pictures();
  return setup;
}

std::optional<PackedChunk> PacketReader::read() {
  Impl& impl = *impl_;
  const auto wanted = static_cast<std::size_t>(impl.config.chunk_frames);
  while (impl.frames.size() < wanted && !impl.at_end && impl.obstacle.empty()) impl.read_packet();
  if (impl.frames.size() < wanted && !impl.obstacle.empty()) return std::nullopt;
  if (impl.frames.empty()) return std::nullopt;
  return impl.pack_chunk(std::min(wanted, impl.frames.size()));
}

const std::string& PacketReader::obstacle() const {
  return impl_->obstacle;
}

}  // namespace atelier::media
