#include "atelier/media/encoder.h"

#include "atelier/base/checked_cast.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "carried_side_data.h"
#include "compat.h"
#include "encoder_context.h"
#include "frame_filler.h"
#include "side_data.h"
#include "x264_chunks.h"

namespace atelier::media {
namespace {

/// Only what a muxer needs; quality figures and the like stay behind.
std::vector<std::byte> pack_packet_side_data(const AVPacket& packet) {
  std::vector<SideDataEntry> entries;
  for (int i = 0; i < packet.side_data_elems; ++i) {
    const AVPacketSideData& data = packet.side_data[i];
    if (data.type != AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL && data.type != AV_PKT_DATA_DYNAMIC_HDR10_PLUS)
      continue;
    const auto* bytes = reinterpret_cast<const std::byte*>(data.data);
    entries.push_back({data.type, std::vector<std::byte>(bytes, bytes + data.size)});
  }
  return pack_entries(entries);
}

std::vector<std::byte> to_bytes(const std::uint8_t* data, std::size_t size_bytes) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  return size_bytes == 0 ? std::vector<std::byte>() : std::vector<std::byte>(bytes, bytes + size_bytes);
}

}  // namespace

struct SegmentEncoder::Impl {
  Impl(const EncoderConfig& encoder_config, std::int64_t chunk_index, std::int64_t first_frame)
      : config(encoder_config), context(open_encoder(config)), filler(config), carried(config, *context) {
    segment.chunk_index = chunk_index;
    segment.first_frame = first_frame;
  }

  [[nodiscard]] std::string place() const {
    return concat("chunk ", segment.chunk_index, ", encoder ", config.encoder);
  }
  void send(const AVFrame* frame);
  void take(const AVPacket& packet);

  struct FrameTime {
    std::int64_t pts_ticks;
    std::int64_t duration_ticks;
    bool encoded;
  };

  EncoderConfig config;
  CodecContextPtr context;
  FrameFiller filler;
  CarriedSideData carried;
  PacketPtr packet = make_packet();
  std::vector<FrameTime> times;
  Segment segment;
};

void SegmentEncoder::Impl::send(const AVFrame* frame) {
  const std::string problem = concat("cannot encode (", place(), ")");
  check_av(avcodec_send_frame(context.get(), frame), problem);
  for (;;) {
    const int received = avcodec_receive_packet(context.get(), packet.get());
    if (received == AVERROR(EAGAIN) || received == AVERROR_EOF) return;
    check_av(received, problem);
    take(*packet);
    av_packet_unref(packet.get());
  }
}

void SegmentEncoder::Impl::take(const AVPacket& packet_in) {
  std::size_t extradata_bytes = 0;
  if (const std::uint8_t* extradata =
          av_packet_get_side_data(&packet_in, AV_PKT_DATA_NEW_EXTRADATA, &extradata_bytes))
    segment.extradata = to_bytes(extradata, extradata_bytes);
  const std::int64_t number = packet_in.pts;
  if (number < 0 || !std::in_range<std::size_t>(number) || number >= std::ssize(times) ||
      times[static_cast<std::size_t>(number)].encoded)
    throw JobError(concat("frame times were lost (", place(), ", packet time ", number, ")"));
  FrameTime& time = times[static_cast<std::size_t>(number)];
  time.encoded = true;
  SegmentPacket out;
  out.data = to_bytes(packet_in.data, checked_cast<std::size_t>(packet_in.size));
  carried.add_to(number, packet_in, out.data);
  out.pts_ticks = time.pts_ticks;
  out.duration_ticks = time.duration_ticks;
  out.key = (packet_in.flags & AV_PKT_FLAG_KEY) != 0;
  out.side_data = pack_packet_side_data(packet_in);
  segment.packets.push_back(std::move(out));
}

SegmentEncoder::SegmentEncoder(const EncoderConfig& config, std::int64_t chunk_index,
                               std::int64_t first_frame) {
  const Stopwatch watch;
  impl_ = std::make_unique<Impl>(config, chunk_index, first_frame);
  impl_->segment.encode_s = watch.seconds_s();
}

SegmentEncoder::~SegmentEncoder() = default;
SegmentEncoder::SegmentEncoder(SegmentEncoder&&) noexcept = default;
SegmentEncoder& SegmentEncoder::operator=(SegmentEncoder&&) noexcept = default;

void SegmentEncoder::write(const FramePlanes& frame) {
  const Stopwatch watch;
  Impl& impl = *impl_;
  const FramePtr av_frame = impl.filler.fill(frame);
  av_frame->pts = std::ssize(impl.times);
  av_frame->pict_type = impl.times.empty() ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
  impl.carried.note(av_frame->pts, *av_frame, frame.info.side_data);
  if (impl.times.empty()) refine_first_frame(impl.config, *av_frame);
  impl.times.push_back({frame.info.pts_ticks, frame.info.duration_ticks, false});
  impl.send(av_frame.get());
  impl.segment.encode_s += watch.seconds_s();
}

Segment SegmentEncoder::finish() {
  const Stopwatch watch;
  Impl& impl = *impl_;
  if (!impl.times.empty()) impl.send(nullptr);
  if (impl.segment.packets.size() != impl.times.size())
    throw JobError(concat("encoder gave ", impl.segment.packets.size(), " packets for ", impl.times.size(),
                          " frames (", impl.place(), ")"));
  if (!impl.segment.packets.empty() && !impl.segment.packets.front().key)
    throw JobError(concat("a segment does not start with a keyframe (", impl.place(), ")"));
  if (impl.segment.extradata.empty() && impl.context->extradata_size > 0)
    impl.segment.extradata =
        to_bytes(impl.context->extradata, checked_cast<std::size_t>(impl.context->extradata_size));
  // The first chunk keeps the settings for those who look for them.
  if (impl.segment.chunk_index > 0 && !impl.segment.packets.empty())
    drop_x264_settings(impl.segment.packets.front().data);
  impl.segment.encode_s += watch.seconds_s();
  return std::move(impl.segment);
}

}  // namespace atelier::media
