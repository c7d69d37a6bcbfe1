#include "frame_source.h"

#include <algorithm>
#include <utility>

#include "atelier/base/log.h"
#include "atelier/base/text.h"

namespace atelier::media {
namespace {

/// Compressed bytes kept for decoding again; where they do not suffice it begins at the start of the file.
constexpr std::size_t max_history_bytes = std::size_t{256} << 20;

/// More frames than any codec shows between a frame and those that are decoded before it.
constexpr std::size_t max_held_frames = 17;

/// Packets further back than this gave no frame of their own (second fields, hidden frames).
constexpr std::int64_t max_packets_behind = 64;

}  // namespace

FrameSource::FrameSource(std::filesystem::path path, std::optional<int> stream, int num_threads)
    : path_(std::move(path)), num_threads_(num_threads), packets_(open_packets(path_, stream)) {
  open_decoder();
}

void FrameSource::open_decoder() {
  single_ = single_ || needs_one_thread(packets_->codec().codec_id);
  codec_.reset(avcodec_parameters_alloc());
  if (!codec_ || avcodec_parameters_copy(codec_.get(), &packets_->codec()) < 0) throw std::bad_alloc();
  hevc_units_.reset();
  if (codec_->codec_id == AV_CODEC_ID_HEVC) hevc_units_.emplace(*codec_);
  // What HEVC's decoder conceals shows motion of frames before, as far back as that decoder began.
  const bool goes_back = !needs_one_thread(codec_->codec_id) && codec_->codec_id != AV_CODEC_ID_HEVC &&
                         packets_->stream() != nullptr;
  classifier_ = goes_back ? make_packet_classifier(*codec_) : nullptr;
  decoder_ = std::make_unique<Decoder>(*codec_, packets_->time_base(), single_ ? 1 : num_threads_, !single_);
}

/// A slice of HEVC that damage has made too long is overwritten by the next one. Another thread may have
/// predicted from it by then, and no decoder says a word.
bool FrameSource::needs_care(const AVPacket& packet) const {
  return (packet.flags & AV_PKT_FLAG_CORRUPT) != 0 ||
         (hevc_units_ &&
          has_several_slices(*hevc_units_, {packet.data, static_cast<std::size_t>(packet.size)}));
}

bool FrameSource::seek(std::int64_t pts_ticks) {
  wanted_from_ = pts_ticks;
  if (!packets_->seek(pts_ticks)) return false;
  seeked_ = true;
  return true;
}

void FrameSource::rewind() {
  single_ = single_for_good_ = false;
  sound_run_ = min_sound_run;
  restart();
}

void FrameSource::restart() {
  packets_->rewind();
  seeked_ = ended_ = changing_codec_ = false;
  num_given_ = skip_count_ = 0;
  last_given_pts_ = skip_to_pts_ = AV_NOPTS_VALUE;
  damage_ = {};
  forget_proof();
  forget_all();
  history_has_all_ = true;
  forget_waiting();
  open_decoder();
}

FramePtr FrameSource::read() {
  FramePtr frame = next_sound();
  if (frame) {
    ++num_given_;
    last_given_pts_ = frame->best_effort_timestamp;
  }
  return frame;
}

FramePtr FrameSource::next_sound() {
  for (;;) {
    if (may_release()) {
      FramePtr frame = std::move(held_.front().frame);
      held_.pop_front();
      if (is_for_proof(*frame)) continue;
      return frame;
    }
    FramePtr frame = next_decoded();
    if (single_) {
      if (frame) note_concealed(*frame);
      return frame;
    }
    if (frame) {
      held_.push_back({decoded_number_, std::move(frame)});
    } else if (held_.empty()) {
      if (proof_.size() == 0) return nullptr;
      stay_with_one_thread(saved_next_);
    } else {
      outstanding_.clear();
    }
  }
}

/// Finds the frame's packet, which is done with that, and notes keyframes: packets marked as keys may hold no
/// more than a part of a picture (intra refresh).
void FrameSource::note_decoded(const AVFrame& frame) {
  decoded_number_ = num_sent_;
  const auto packet = std::find_if(outstanding_.begin(), outstanding_.end(),
                                   [&](const Sent& sent) { return sent.pts == frame.pts; });
  if (frame.pts == AV_NOPTS_VALUE || packet == outstanding_.end()) return;
  decoded_number_ = packet->number;
  if (packet->key && frame.pict_type == AV_PICTURE_TYPE_I) {
    keys_.push_back(packet->number);
    forget_old();
  }
  outstanding_.erase(packet);
}

bool FrameSource::may_release() const {
  if (held_.empty()) return false;
  return held_.size() > max_held_frames || outstanding_.empty() ||
         outstanding_.front().number > held_.front().number;
}

FramePtr FrameSource::next_decoded() {
  FramePtr frame = make_frame();
  for (;;) {
    switch (decoder_->receive(*frame)) {
      case Decoder::Result::frame:
        if (!single_) note_decoded(*frame);
        if (single_ && is_damaged(*frame)) note_unsound();
        if (!single_ && (is_damaged(*frame) || decoder_->has_fault() || decoded_number_ >= first_corrupt_)) {
          decode_again("a damaged frame");
        } else if (!is_given_already(*frame)) {
          if ((frame->flags & AV_FRAME_FLAG_CORRUPT) != 0)
            count_damage(frame->best_effort_timestamp, "a frame is not whole");
          return frame;
        }
        av_frame_unref(frame.get());
        break;
      case Decoder::Result::needs_packet:
        feed();
        break;
      case Decoder::Result::error:
        if (!single_)
          decode_again(decoder_->problem());
        else
          count_fault(true);
        break;
      case Decoder::Result::end:
        if (single_) count_fault(false);
        if (!single_ && decoder_->has_fault()) {
          decode_again("a damaged frame");
        } else if (skip_to_pts_ != AV_NOPTS_VALUE && !skip_target_seen_) {
          decode_again_from_start();
        } else if (changing_codec_) {
          changing_codec_ = false;
          forget_all();
          outstanding_.clear();
          open_decoder();
        } else {
          return nullptr;
        }
        break;
    }
  }
}

void FrameSource::feed() {
  PacketPtr own;
  const AVPacket* packet = nullptr;
  std::int64_t number = num_read_;
  const bool replays = replay_ < history_.size();
  if (replays) {
    number = history_begin_ + static_cast<std::int64_t>(replay_);
    packet = history_[replay_++].get();
  } else if (!ended_ && !changing_codec_) {
    own = make_packet();
    switch (packets_->read(*own)) {
      case PacketSource::Result::packet:
        ++num_read_;
        look_for_entry(*own, number);
        remember(*own, number);
        packet = own.get();
        break;
      case PacketSource::Result::end:
        ended_ = true;
        break;
      case PacketSource::Result::failed:
        count_damage(last_sent_pts_, packets_->problem());
        return;
      case PacketSource::Result::other_codec:
        changing_codec_ = true;
        break;
    }
  }
  if (packet != nullptr) {
    last_sent_pts_ = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    counts_faults_ = !replays || number >= first_fault_;
    num_sent_ = number + 1;
    if (single_ && needs_care(*packet)) note_unsound();
    if (!single_) note_sent(*packet, number);
  }
  if (packet != nullptr && !single_ && hevc_units_ && needs_care(*packet))
    return decode_again("a picture in several slices");
  const bool failed = decoder_->send(packet) == Decoder::Result::error;
  if (single_)
    count_fault(failed);
  else if (failed)
    decode_again(decoder_->problem());
}

/// What the decoder said about the last packet.
void FrameSource::count_fault(bool failed) {
  const std::string fault = decoder_->take_fault();
  if (failed || !fault.empty()) note_unsound();
  // Before the first fault there is only what the decoder says when it begins midway.
  const bool wanted = last_sent_pts_ == AV_NOPTS_VALUE || last_sent_pts_ >= wanted_from_;
  if (counts_faults_ && wanted && (failed || !fault.empty()))
    count_damage(last_sent_pts_, fault.empty() ? decoder_->problem() : fault);
}

void FrameSource::note_sent(const AVPacket& packet, std::int64_t number) {
  if ((packet.flags & AV_PKT_FLAG_CORRUPT) != 0) first_corrupt_ = std::min(first_corrupt_, number);
  outstanding_.push_back({number, packet.pts, (packet.flags & AV_PKT_FLAG_KEY) != 0});
  while (outstanding_.front().number < num_sent_ - max_packets_behind) outstanding_.pop_front();
  if (saved_ && proof_.size() == 0 && number > trusted_from_ + 2 * max_packets_in_flight) saved_.reset();
}

void FrameSource::remember(const AVPacket& packet, std::int64_t number) {
  if (single_ && !recording_) return;
  if (history_.empty()) history_begin_ = number;
  PacketPtr copy(av_packet_clone(&packet));
  if (!copy) throw std::bad_alloc();
  history_bytes_ += static_cast<std::size_t>(copy->size);
  history_.push_back(std::move(copy));
  replay_ = history_.size();
  if (history_bytes_ <= max_history_bytes) return;
  if (recording_)
    forget_proof();
  else if (!saved_)
    forget_all();
}

void FrameSource::forget_all() {
  if (!history_.empty()) history_has_all_ = false;
  history_.clear();
  keys_.clear();
  history_bytes_ = 0;
  replay_ = 0;
}

/// Packets before the keyframe at which decoding again would begin for the next fault.
void FrameSource::forget_old() {
  if (saved_) return;
  const std::int64_t newest = num_sent_ - max_packets_in_flight - min_lead_packets;
  while (keys_.size() > 1 && keys_[1] <= newest) keys_.pop_front();
  if (keys_.front() > newest) return;
  for (; history_begin_ < keys_.front() && !history_.empty(); ++history_begin_) {
    history_bytes_ -= static_cast<std::size_t>(history_.front()->size);
    history_.pop_front();
    history_has_all_ = false;
  }
  replay_ = history_.size();
}

void FrameSource::forget_waiting() {
  held_.clear();
  outstanding_.clear();
  first_corrupt_ = INT64_MAX;
}

void FrameSource::count_damage(std::int64_t pts_ticks, const std::string& problem) {
  ++damage_.num_errors;
  if (!damage_.first_problem.empty()) return;
  const AVStream* stream = packets_->stream();
  const std::int64_t start =
      stream == nullptr || stream->start_time == AV_NOPTS_VALUE ? 0 : stream->start_time;
  const std::string place =
      pts_ticks == AV_NOPTS_VALUE
          ? concat("near frame ", num_given_)
          : concat("near ", fixed(static_cast<double>(pts_ticks - start) * av_q2d(packets_->time_base()), 2),
                   " s");
  damage_.first_problem = concat(place, ": ", problem);
}

}  // namespace atelier::media
