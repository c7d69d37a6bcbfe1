#include "field_packets.h"

#include <optional>
#include <utility>

namespace atelier::media {
namespace {

struct CloseParser {
  void operator()(AVCodecParserContext* parser) const noexcept { av_parser_close(parser); }
};

/// Tells frames and fields apart, packet by packet in decoding order.
class FieldParser {
 public:
  enum class Content {
    other,
    field,            ///< or both fields of a frame
    field_of_a_pair,  ///< with the field before it
  };

  explicit FieldParser(const AVCodecParameters& codec)
      : context_(avcodec_alloc_context3(nullptr)), parser_(av_parser_init(codec.codec_id)) {
    if (!context_ || !parser_) throw std::bad_alloc();
    check_av(avcodec_parameters_to_context(context_.get(), &codec), "stream parameters cannot be used");
    parser_->flags |= PARSER_FLAG_COMPLETE_FRAMES;
  }

  Content parse(const AVPacket& packet) {
    std::uint8_t* data = nullptr;
    int size = 0;
    av_parser_parse2(parser_.get(), context_.get(), &data, &size, packet.data, packet.size, packet.pts,
                     packet.dts, packet.pos);
    if (parser_->picture_structure != AV_PICTURE_STRUCTURE_TOP_FIELD &&
        parser_->picture_structure != AV_PICTURE_STRUCTURE_BOTTOM_FIELD)
      return Content::other;
    // FFmpeg's parser knows the order once it has seen both.
    return parser_->field_order == AV_FIELD_UNKNOWN ? Content::field : Content::field_of_a_pair;
  }

 private:
  CodecContextPtr context_;
  std::unique_ptr<AVCodecParserContext, CloseParser> parser_;
};

class FieldPackets final : public PacketSource {
 public:
  explicit FieldPackets(std::unique_ptr<PacketSource> source)
      : source_(std::move(source)), parser_(source_->codec()) {}

  Result read(AVPacket& packet) override {
    Read current = next_ ? *std::exchange(next_, std::nullopt) : read_parsed();
    if (current.result != Result::packet) return current.result;
    if (current.content != FieldParser::Content::other) {
      next_ = read_parsed();
      set_duration(*current.packet, *next_);
    }
    av_packet_move_ref(&packet, current.packet.get());
    return Result::packet;
  }

  [[nodiscard]] const AVCodecParameters& codec() const override { return source_->codec(); }
  [[nodiscard]] AVRational time_base() const override { return source_->time_base(); }
  [[nodiscard]] AVFormatContext* input() const override { return source_->input(); }
  [[nodiscard]] AVStream* stream() const override { return source_->stream(); }
  [[nodiscard]] std::string choice() const override { return source_->choice(); }
  [[nodiscard]] std::string container() const override { return source_->container(); }
  [[nodiscard]] std::int64_t num_pictures() const override { return source_->num_pictures(); }
  [[nodiscard]] bool has_field_packets() const override { return has_pairs_; }
  [[nodiscard]] ClockChanges clock_changes() const override { return source_->clock_changes(); }
  void rewind() override {
    source_->rewind();
    begin_anew();
  }
  bool seek(std::int64_t pts_ticks) override {
    if (!source_->seek(pts_ticks)) return false;
    begin_anew();
    return true;
  }

 private:
  struct Read {
    Result result;
    PacketPtr packet;
    FieldParser::Content content;
  };

  Read read_parsed() {
    Read read{Result::end, make_packet(), FieldParser::Content::other};
    read.result = source_->read(*read.packet);
    if (read.result == Result::packet) read.content = parser_.parse(*read.packet);
    if (read.result == Result::failed) problem_ = source_->problem();
    return read;
  }

  void set_duration(AVPacket& packet, Read& next) {
    const bool follows = next.result == Result::packet;
    if (follows && next.content == FieldParser::Content::field_of_a_pair) {
      has_pairs_ = true;
      next.content = FieldParser::Content::other;
      const bool timed = packet.pts != AV_NOPTS_VALUE && next.packet->pts > packet.pts;
      packet.duration = timed ? 2 * (next.packet->pts - packet.pts) : packet.duration + next.packet->duration;
      return;
    }
    // With both fields in the packet FFmpeg may tell the duration of one.
    if (follows && packet.dts != AV_NOPTS_VALUE && next.packet->dts != AV_NOPTS_VALUE)
      step_ = next.packet->dts - packet.dts;
    if (step_ > packet.duration * 3 / 2 && step_ < packet.duration * 5 / 2) packet.duration = step_;
  }

  void begin_anew() {
    next_.reset();
    parser_ = FieldParser(source_->codec());
  }

  std::unique_ptr<PacketSource> source_;
  FieldParser parser_;
  std::optional<Read> next_;  ///< read ahead
  std::int64_t step_ = 0;     ///< between the dts of the last packets without a second one
  bool has_pairs_ = false;
};

}  // namespace

std::unique_ptr<PacketSource> with_whole_frames(std::unique_ptr<PacketSource> source) {
  return std::make_unique<FieldPackets>(std::move(source));
}

}  // namespace atelier::media
