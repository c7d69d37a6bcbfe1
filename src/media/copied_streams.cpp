#include "copied_streams.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "atelier/base/checked_cast.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/media/picture_row.h"
#include "codec_delay.h"
#include "input.h"
#include "input_io.h"

namespace atelier::media {
namespace {

constexpr std::size_t max_window_packets = 256;
constexpr std::size_t max_window_bytes = std::size_t{8} << 20;
constexpr std::size_t max_start_bytes = std::size_t{32} << 20;
constexpr double past_end_s = 30;  // how far behind the cut's end a badly interleaved packet may lie

constexpr std::int64_t nothing_waits = std::int64_t{1} << 50;

double seconds(std::int64_t ticks, AVRational time_base) {
  return static_cast<double>(ticks) * av_q2d(time_base);
}

}  // namespace

CopiedStreams::CopiedStreams(const MuxerConfig& config)
    : cut_start_s_(-std::numeric_limits<double>::infinity()),
      cut_end_s_(std::numeric_limits<double>::infinity()) {
  if (!picture_row(config.input.path).empty()) {
    at_end_ = true;
    return;
  }
  input_ = open_input_again(config.input.path);
  tracks_.resize(input_->nb_streams);
  for (unsigned i = 0; i < input_->nb_streams; ++i) input_->streams[i]->discard = AVDISCARD_ALL;
  const int styled = config.input.stream_index;
  if (styled < 0 || std::cmp_greater_equal(styled, input_->nb_streams))
    throw JobError(concat("'", config.input.path.string(), "' has changed"),
                   concat("stream ", styled, " is gone"));
  packets_.emplace(*input_, styled);
  const AVStream& stream = *input_->streams[styled];
  const double start_s =
      stream.start_time == AV_NOPTS_VALUE ? 0 : seconds(stream.start_time, stream.time_base);
  if (config.start_s > 0) cut_start_s_ = start_s + config.start_s;
  if (config.duration_s > 0) cut_end_s_ = start_s + config.start_s + config.duration_s;
}

void CopiedStreams::select(int input_index, AVStream& output_stream) {
  AVStream& stream = *input_->streams[input_index];
  stream.discard = AVDISCARD_DEFAULT;
  Track& track = tracks_[static_cast<std::size_t>(input_index)];
  track.output_stream = &output_stream;
  const AVMediaType type = stream.codecpar->codec_type;
  track.is_sparse = type != AVMEDIA_TYPE_AUDIO && type != AVMEDIA_TYPE_VIDEO;
  track.waits_for_key = type == AVMEDIA_TYPE_VIDEO && cut_start_s_ > -std::numeric_limits<double>::infinity();
}

std::int64_t CopiedStreams::indexed_bytes() const {
  // Others index few packets, or note no sizes.
  if (!input_ || !std::string_view(input_->iformat->name).starts_with("mov,")) return 0;
  const std::int64_t file_bytes = avio_size(input_->pb);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    if (tracks_[i].output_stream == nullptr) continue;
    AVStream& stream = *input_->streams[i];
    for (int k = 0; k < avformat_index_get_entries_count(&stream); ++k) {
      const AVIndexEntry& entry = *avformat_index_get_entry(&stream, k);
      const double time_s = seconds(entry.timestamp, stream.time_base);
      const bool is_wanted =
          time_s >= cut_start_s_ && time_s < cut_end_s_ && (entry.flags & AVINDEX_DISCARD_FRAME) == 0;
      if (is_wanted && entry.pos + entry.size <= file_bytes) sum += entry.size;
    }
  }
  return sum;
}

void CopiedStreams::complete_times(AVPacket& packet, const AVStream& stream, Track& track) const {
  if (packet.dts == AV_NOPTS_VALUE) {
    const bool is_video = stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    if (track.next_dts != AV_NOPTS_VALUE && (is_video || packet.pts == AV_NOPTS_VALUE))
      packet.dts = packet.pts == AV_NOPTS_VALUE ? track.next_dts : std::min(track.next_dts, packet.pts);
    else
      packet.dts = packet.pts == AV_NOPTS_VALUE ? 0 : packet.pts;
  }
  if (packet.pts == AV_NOPTS_VALUE) packet.pts = packet.dts;
  track.next_dts = packet.dts + std::max<std::int64_t>(1, packet.duration);
}

bool CopiedStreams::is_cut_away(AVPacket& packet, const AVStream& stream, Track& track) {
  const AVRational time_base = stream.time_base;
  if ((stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) return false;
  const double pts_s = seconds(packet.pts, time_base);
  if (pts_s >= cut_end_s_) return true;
  if (pts_s < cut_start_s_) {
    const bool is_subtitle = stream.codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE;
    const double end_s = seconds(packet.pts + packet.duration, time_base);
    if (!is_subtitle || end_s <= cut_start_s_) return true;
    // A subtitle that is on at the cut starts with it.
    const std::int64_t start =
        av_rescale_q(static_cast<std::int64_t>(cut_start_s_ * AV_TIME_BASE), AV_TIME_BASE_Q, time_base);
    packet.duration -= start - packet.pts;
    packet.pts = packet.dts = start;
  }
  if (track.waits_for_key && (packet.flags & AV_PKT_FLAG_KEY) == 0) return true;
  track.waits_for_key = false;
  return false;
}

bool CopiedStreams::read_one() {
  while (!at_end_) {
    PacketPtr packet = make_packet();
    const int result = packets_->read(*packet);
    if (result < 0) {
      at_end_ = true;
      if (result != AVERROR_EOF)
        log::warning(concat("The end of '", input_->url, "' cannot be read for sound and other streams (",
                            av_error_text(result), ")."));
      return false;
    }
    if (std::cmp_greater_equal(packet->stream_index, tracks_.size())) continue;  // appeared midway
    Track& track = tracks_[static_cast<std::size_t>(packet->stream_index)];
    if (track.output_stream == nullptr) continue;
    const AVStream& stream = *input_->streams[packet->stream_index];
    complete_times(*packet, stream, track);
    if (seconds(packet->pts, stream.time_base) > cut_end_s_ + past_end_s) at_end_ = true;
    if (is_cut_away(*packet, stream, track)) continue;
    track.seen = true;
    Item item;
    item.time_base = stream.time_base;
    item.output_stream = track.output_stream;
    track.order_s = std::max(track.order_s, seconds(packet->dts, stream.time_base));
    item.order_s = track.order_s;
    item.number = num_read_++;
    packet->stream_index = track.output_stream->index;
    packet->pos = -1;
    waiting_bytes_ += checked_cast<std::size_t>(packet->size);
    item.packet = std::move(packet);
    waiting_.push_back(std::move(item));
    std::push_heap(waiting_.begin(), waiting_.end(), Later());
    return true;
  }
  return false;
}

void CopiedStreams::look_ahead() {
  const auto all_seen = [&] {
    return std::all_of(tracks_.begin(), tracks_.end(),
                       [](const Track& t) { return t.output_stream == nullptr || t.is_sparse || t.seen; });
  };
  if (input_ == nullptr) return;
  at_end_ = at_end_ || std::none_of(tracks_.begin(), tracks_.end(),
                                    [](const Track& t) { return t.output_stream != nullptr; });
  do {
    if (!read_one()) return;
  } while (!all_seen() && waiting_bytes_ < max_start_bytes);
}

std::int64_t CopiedStreams::first_matroska_ms() const {
  std::int64_t first = nothing_waits;
  for (const Item& item : waiting_)
    first = std::min(first, av_rescale_q(item.packet->pts, item.time_base, {1, 1000}) +
                                codec_delay_ms(*item.output_stream->codecpar));
  return first;
}

std::int64_t CopiedStreams::first_dts_us() const {
  std::int64_t first = nothing_waits;
  for (const Item& item : waiting_)
    first =
        std::min(first, av_rescale_q_rnd(item.packet->dts, item.time_base, AV_TIME_BASE_Q, AV_ROUND_DOWN));
  return first;
}

bool CopiedStreams::starts_late() const {
  std::map<int, std::int64_t> first;  // by output stream
  for (const Item& item : waiting_) {
    const AVMediaType type = item.output_stream->codecpar->codec_type;
    if (type != AVMEDIA_TYPE_AUDIO && type != AVMEDIA_TYPE_VIDEO) continue;
    const auto [at, is_new] = first.emplace(item.packet->stream_index, item.packet->pts);
    if (!is_new) at->second = std::min(at->second, item.packet->pts);
  }
  return std::any_of(first.begin(), first.end(), [](const auto& f) { return f.second > 0; });
}

bool CopiedStreams::window_is_full() const {
  return waiting_.size() >= max_window_packets || waiting_bytes_ >= max_window_bytes;
}

bool CopiedStreams::has_before(double time_s) {
  while (!at_end_ && !window_is_full()) read_one();
  return !waiting_.empty() && waiting_.front().order_s <= time_s;
}

CopiedStreams::Item CopiedStreams::pop() {
  std::pop_heap(waiting_.begin(), waiting_.end(), Later());
  Item item = std::move(waiting_.back());
  waiting_.pop_back();
  waiting_bytes_ -= static_cast<std::size_t>(item.packet->size);
  return item;
}

}  // namespace atelier::media
