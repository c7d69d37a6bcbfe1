// FrameSource: faults, and the way from many threads to one.
#include <algorithm>

#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "frame_source.h"

namespace atelier::media {

void FrameSource::decode_again(const std::string& fault) {
  single_ = true;
  forget_waiting();
  log::to_file(concat("'", path_.string(), "': ", fault, "; decoding goes on with one thread"));
  const Fault found = find_fault();
  const std::int64_t faulty = found.number;
  if (saved_ && faulty < trusted_from_) return stay_with_one_thread(std::max(faulty, saved_next_));
  forget_proof();
  if (faulty < 0) return decode_again_from_start();
  sound_from_ = faulty + 1;
  sound_run_ = std::min(2 * sound_run_, max_sound_run);
  std::int64_t begin = history_has_all_ || history_begin_ == entry_number_ ? history_begin_ : -1;
  for (const std::int64_t key : keys_)
    if (key >= history_begin_ && key <= faulty - min_lead_packets) begin = key;
  if (begin < 0 || (begin > history_begin_ && last_given_pts_ == AV_NOPTS_VALUE))
    return decode_again_from_start();
  // The decoder that goes on does not see it.
  if (found.text == Decoder::missing_part) count_damage(found.pts, found.text);
  const bool from_first = history_has_all_ && begin == history_begin_;
  history_.erase(history_.begin(), history_.begin() + (begin - history_begin_));
  history_begin_ = begin;
  first_fault_ = faulty;
  decoder_ = std::make_unique<Decoder>(*codec_, packets_->time_base(), 1, false);
  replay_ = 0;
  if (from_first) {
    skip_count_ = num_given_;
  } else {
    skip_to_pts_ = last_given_pts_;
    skip_target_seen_ = false;
  }
}

/// The first packet of history_ that a single thread finds at fault.
FrameSource::Fault FrameSource::find_fault() const {
  Decoder strict(*codec_, packets_->time_base(), 1, true);
  const FramePtr frame = make_frame();
  // Older packets were sound; the decoder may still complain when it begins midway.
  const std::int64_t suspect = num_sent_ - max_packets_in_flight;
  const std::size_t end = history_.size() + (ended_ ? 1 : 0);
  for (std::size_t i = 0; i < end; ++i) {
    const AVPacket* packet = i < history_.size() ? history_[i].get() : nullptr;  // null: drains
    const std::int64_t number = history_begin_ + static_cast<std::int64_t>(i);
    bool sound = strict.send(packet) != Decoder::Result::error;
    for (bool more = sound; more;) {
      const Decoder::Result result = strict.receive(*frame);
      more = result == Decoder::Result::frame;
      sound = sound && result != Decoder::Result::error && !(more && is_damaged(*frame));
    }
    const std::string text = strict.take_fault();
    sound = sound && text.empty() && (packet == nullptr || !needs_care(*packet));
    if (!sound && number >= suspect) return {number, packet == nullptr ? AV_NOPTS_VALUE : packet->pts, text};
  }
  return {};
}

void FrameSource::decode_again_from_start() {
  const bool seeked = seeked_;
  const std::int64_t given = num_given_;
  const std::int64_t last_pts = last_given_pts_;
  single_ = single_for_good_ = true;
  restart();
  num_given_ = given;
  last_given_pts_ = last_pts;
  if (seeked) {
    // The caller drops what lies before its start.
    skip_to_pts_ = last_pts;
    skip_target_seen_ = true;
  } else {
    skip_count_ = given;
  }
}

bool FrameSource::is_given_already(const AVFrame& frame) {
  if (skip_count_ > 0) {
    --skip_count_;
    return true;
  }
  if (skip_to_pts_ == AV_NOPTS_VALUE) return false;
  const std::int64_t pts = frame.best_effort_timestamp;
  if (pts != AV_NOPTS_VALUE && pts <= skip_to_pts_) {
    if (pts == skip_to_pts_ && !is_damaged(frame)) skip_target_seen_ = true;
    return true;
  }
  if (!skip_target_seen_) {
    // The keyframe was none (intra refresh): its successors lack what came before.
    decode_again_from_start();
    return true;
  }
  skip_to_pts_ = AV_NOPTS_VALUE;
  return false;
}

}  // namespace atelier::media
