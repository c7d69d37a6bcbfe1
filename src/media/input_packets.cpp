#include "input_packets.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "input_io.h"

namespace atelier::media {
namespace {

constexpr AVRational nanosecond{1, 1'000'000'000};

/// Bounds of what is read ahead to judge a time. They count sound and pictures, which all readers have;
/// others count only far beyond that.
constexpr std::size_t max_steady_packets = 1024;
constexpr std::size_t max_steady_bytes = std::size_t{32} << 20;
constexpr std::size_t max_waiting_packets = 16 * max_steady_packets;
constexpr std::size_t max_waiting_bytes = 2 * max_steady_bytes;

bool is_steady(const AVStream& stream) {
  const AVMediaType type = stream.codecpar->codec_type;
  const int still = AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS;
  return (type == AVMEDIA_TYPE_AUDIO || type == AVMEDIA_TYPE_VIDEO) && (stream.disposition & still) == 0;
}

std::int64_t to_ns(std::int64_t ticks, AVRational time_base) {
  if (ticks == AV_NOPTS_VALUE) return InputClock::no_time;
  const std::int64_t ns = av_rescale_q(ticks, time_base, nanosecond);
  return ns > -InputClock::max_time_ns && ns < InputClock::max_time_ns ? ns : InputClock::no_time;
}

void shift_time(std::int64_t& ticks, std::int64_t shift_ns, AVRational time_base) {
  if (ticks != AV_NOPTS_VALUE && to_ns(ticks, time_base) != InputClock::no_time)
    ticks += av_rescale_q(shift_ns, nanosecond, time_base);
}

}  // namespace

InputPackets::InputPackets(AVFormatContext& input, int picture_stream)
    : input_(&input),
      may_step_(!std::string_view(input.iformat->name).starts_with("mov,")),
      clock_(picture_stream) {
  if (!may_step_) return;
  for (unsigned i = 0; i < input.nb_streams; ++i)
    if (is_steady(*input.streams[i])) input.streams[i]->discard = AVDISCARD_DEFAULT;
}

void InputPackets::add(PacketPtr packet) {
  const AVStream& stream = *input_->streams[packet->stream_index];
  InputClock::Stamp stamp;
  stamp.stream = stream.index;
  stamp.dts_ns = to_ns(packet->dts, stream.time_base);
  stamp.pts_ns = to_ns(packet->pts, stream.time_base);
  stamp.duration_ns = std::max(std::int64_t{0}, to_ns(packet->duration, stream.time_base));
  stamp.is_steady = is_steady(stream);
  stamp.is_video = stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
  stamp.is_key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
  if (stream.pts_wrap_bits > 0 && stream.pts_wrap_bits < 63)
    stamp.wrap_ns =
        std::max(std::int64_t{0}, to_ns(std::int64_t{1} << stream.pts_wrap_bits, stream.time_base));
  clock_.add(stamp);
  const auto size = static_cast<std::size_t>(packet->size);
  waiting_bytes_ += size;
  if (stamp.is_steady) {
    ++num_steady_;
    steady_bytes_ += size;
  }
  waiting_.push_back({std::move(packet), stamp.is_steady});
}

bool InputPackets::has_enough() const {
  return num_steady_ >= max_steady_packets || steady_bytes_ >= max_steady_bytes ||
         waiting_.size() >= max_waiting_packets || waiting_bytes_ >= max_waiting_bytes;
}

int InputPackets::read(AVPacket& packet) {
  if (!may_step_) return read_frame(*input_, packet);
  for (;;) {
    if (const std::optional<InputClock::Shift> shift = clock_.pop(ended_ < 0 || has_enough())) {
      const auto size = static_cast<std::size_t>(waiting_.front().packet->size);
      waiting_bytes_ -= size;
      if (waiting_.front().is_steady) {
        --num_steady_;
        steady_bytes_ -= size;
      }
      av_packet_move_ref(&packet, waiting_.front().packet.get());
      waiting_.pop_front();
      const AVStream& stream = *input_->streams[packet.stream_index];
      shift_time(packet.dts, shift->dts_ns, stream.time_base);
      shift_time(packet.pts, shift->pts_ns, stream.time_base);
      return 0;
    }
    if (ended_ < 0) return ended_;
    PacketPtr next = make_packet();
    const int result = read_frame(*input_, *next);
    if (result < 0)
      ended_ = result;
    else
      add(std::move(next));
  }
}

}  // namespace atelier::media
