#include "atelier/media/packet_decoder.h"

#include <cstring>
#include <optional>
#include <utility>

#include "atelier/base/checked_cast.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "codec_parameters.h"
#include "decoder.h"
#include "frame_description.h"
#include "frame_shaper.h"
#include "packet_faults.h"
#include "upright.h"

namespace atelier::media {
namespace {

PacketPtr packet_of(const CodedPacket& coded) {
  PacketPtr packet = make_packet();
  check_av(av_new_packet(packet.get(), checked_cast<int>(coded.data.size())), "memory for a packet is short");
  if (!coded.data.empty()) std::memcpy(packet->data, coded.data.data(), coded.data.size());
  packet->pts = coded.pts_ticks;
  packet->dts = coded.dts_ticks;
  packet->duration = coded.duration_ticks;
  packet->flags = coded.flags;
  for (const SideDataEntry& entry : unpack_entries({coded.side_data.begin(), coded.side_data.end()})) {
    std::uint8_t* data = av_packet_new_side_data(packet.get(), static_cast<AVPacketSideDataType>(entry.type),
                                                 entry.data.size());
    if (data == nullptr) throw std::bad_alloc();
    if (!entry.data.empty()) std::memcpy(data, entry.data.data(), entry.data.size());
  }
  return packet;
}

/// PacketReader::decoder_setup notes them as the stream's.
FrameProperties first_properties(const DecoderSetup& setup, const AVCodecParameters& codec) {
  return {.format = setup.first,
          .sample_aspect = {codec.sample_aspect_ratio.num, codec.sample_aspect_ratio.den},
          .color_primaries = codec.color_primaries,
          .color_transfer = codec.color_trc};
}

/// What all chunks of a video share.
struct Stream {
  explicit Stream(DecoderSetup from)
      : setup(std::move(from)),
        codec(restore_codec_parameters(setup)),
        time_base{setup.time_base.num, setup.time_base.den},
        lasting(lasting_side_data(setup.first_frame_side_data)),
        shaper(first_properties(setup, *codec), setup.format, codec->codec_id) {}

  DecoderSetup setup;
  CodecParametersPtr codec;
  AVRational time_base;
  std::vector<std::byte> lasting;
  FrameShaper shaper;
};

/// One chunk on its way.
class Decoding {
 public:
  Decoding(Stream& stream, const PacketChunk& chunk, const PacketDecoder::Sink& sink)
      : stream_(stream), chunk_(chunk), sink_(sink), decoder_(*stream.codec, stream.time_base, 1, true) {}

  PacketDecoder::Outcome run() {
    if (!chunk_.begins_video && stream_.codec->codec_id == AV_CODEC_ID_HEVC) use_up_extradata();
    for (std::size_t i = 0; i <= chunk_.packets.size() && !done(); ++i) {
      const bool drains = i == chunk_.packets.size();
      const PacketPtr packet = drains ? nullptr : packet_of(chunk_.packets[i]);
      // Whoever begins midway may miss what comes before the entry.
      counts_ = static_cast<std::int64_t>(i) >= chunk_.num_packets_before_entry;
      if (decoder_.send(packet.get()) == Decoder::Result::error) note_problem(decoder_.problem());
      receive_all();
      note_problem(decoder_.take_fault());
    }
    if (outcome_.fault.empty() && !unwanted_) {
      if (next_ < chunk_.pts_ticks.size())
        outcome_.fault = concat("the frame at ", chunk_.pts_ticks[next_], " is missing");
      else
        look_at_the_rest();
    }
    return std::move(outcome_);
  }

 private:
  [[nodiscard]] bool done() const {
    return !outcome_.fault.empty() || unwanted_ || next_ == chunk_.pts_ticks.size();
  }

  // Frames of the chunk may be predicted from frames that are shown after it.
  void look_at_the_rest() {
    const FramePtr frame = make_frame();
    decoder_.send(nullptr);
    while (decoder_.receive(*frame) == Decoder::Result::frame) {
      if (is_damaged(*frame)) fail("a frame is damaged");
      av_frame_unref(frame.get());
    }
    note_problem(decoder_.take_fault());
  }

  // FFmpeg gives user data outside of packets to the first frame that it decodes; that is not ours.
  void use_up_extradata() {
    const FramePtr frame = make_frame();
    decoder_.send(packet_of(chunk_.packets.front()).get());
    decoder_.send(nullptr);
    while (decoder_.receive(*frame) == Decoder::Result::frame) av_frame_unref(frame.get());
    decoder_.flush();
    decoder_.take_fault();
  }

  void fail(const std::string& why) {
    if (outcome_.fault.empty()) outcome_.fault = why;
  }
  void note_problem(const std::string& what) {
    if (counts_ && !what.empty()) fail(what);
  }

  void receive_all() {
    while (!done()) {
      FramePtr frame = make_frame();
      const Decoder::Result result = decoder_.receive(*frame);
      if (result == Decoder::Result::error) note_problem(decoder_.problem());
      if (result != Decoder::Result::frame) return;
      ++outcome_.num_decoded_frames;
      if (stream_.setup.are_pictures) frame = upright(std::move(frame), stream_.codec->codec_id);
      take(*frame);
    }
  }

  void take(const AVFrame& frame) {
    const std::int64_t pts = frame.pts;
    if (pts == AV_NOPTS_VALUE) return fail("a frame has no time");
    if (pts < chunk_.entry_pts_ticks) return;
    FrameInfo info;
    describe_frame(frame, info);
    check(frame, info);
    if (next_ == 0 && pts < chunk_.pts_ticks.front()) return;
    if (pts != chunk_.pts_ticks[next_])
      fail(concat("a frame at ", pts, " comes where that at ", chunk_.pts_ticks[next_], " was due"));
    note_problem(decoder_.take_fault());
    if (!outcome_.fault.empty()) return;
    FramePlanes out{std::move(info), stream_.shaper.planes(frame)};
    out.info.frame_index = chunk_.chunk.first_frame + static_cast<std::int64_t>(next_++);
    out.info.pts_ticks = pts;
    out.info.decode_s = watch_.restart_s();
    unwanted_ = !sink_(std::move(out));
    watch_.restart_s();  // The sink may have waited.
  }

  // Frames at or after the entry must be as sound as the whole video's.
  void check(const AVFrame& frame, const FrameInfo& info) {
    if (is_damaged(frame)) return fail("a frame is damaged");
    const std::vector<PropertyChange> changes = stream_.shaper.changes(frame);
    if (!changes.empty()) return fail(concat("its ", changes.front().name, " changes"));
    if (keeps_field_flags(stream_.codec->codec_id) && (info.interlaced || info.repeat_pict != 0))
      return fail("its frames are interlaced");
    if (lasting_side_data(info.side_data) != stream_.lasting) fail("its side data change");
  }

  Stream& stream_;
  const PacketChunk& chunk_;
  const PacketDecoder::Sink& sink_;
  Decoder decoder_;
  PacketDecoder::Outcome outcome_;
  Stopwatch watch_;
  std::size_t next_ = 0;  // of the chunk's frames
  bool counts_ = false;
  bool unwanted_ = false;
};

}  // namespace

struct PacketDecoder::Impl {
  Stream stream;
};

PacketDecoder::PacketDecoder(std::span<const std::byte> setup)
    : impl_(new Impl{Stream(unpack_decoder_setup(setup))}) {}
PacketDecoder::~PacketDecoder() = default;
PacketDecoder::PacketDecoder(PacketDecoder&&) noexcept = default;
PacketDecoder& PacketDecoder::operator=(PacketDecoder&&) noexcept = default;

PacketDecoder::Outcome PacketDecoder::decode(std::span<const std::byte> chunk, const Sink& sink) {
  const PacketChunk packets = unpack_packet_chunk(chunk);
  return Decoding(impl_->stream, packets, sink).run();
}

}  // namespace atelier::media
