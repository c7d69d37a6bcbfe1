// FrameSource: the way back from one thread to many.
#include <algorithm>

#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "frame_source.h"

namespace atelier::media {
namespace {

/// Frames that many threads must give as the one thread gave them: more than are shown out of order.
constexpr std::size_t num_proof_frames = 24;

}  // namespace

/// Decoding may begin at this packet, and enough packets before it were sound.
void FrameSource::look_for_entry(const AVPacket& packet, std::int64_t number) {
  if (!classifier_) return;
  const bool clean = classifier_->classify(packet).entry == PacketClassifier::Entry::clean;
  if (!single_ || single_for_good_ || recording_ || !clean || packet.pts == AV_NOPTS_VALUE ||
      number < sound_from_ + sound_run_ || skip_count_ > 0 || skip_to_pts_ != AV_NOPTS_VALUE)
    return;
  forget_all();
  history_has_all_ = false;
  recording_ = true;
  entry_number_ = number;
  entry_pts_ = packet.pts;
}

void FrameSource::note_unsound() {
  sound_from_ = std::max(sound_from_, num_sent_);
  if (!recording_) return;
  forget_proof();
  forget_all();
}

void FrameSource::note_concealed(const AVFrame& frame) {
  if (!recording_ || (frame.pts != AV_NOPTS_VALUE && frame.pts < entry_pts_)) return;
  if (frame.pts == AV_NOPTS_VALUE || decoder_->has_fault()) return note_unsound();
  proof_.expect(frame);
  if (proof_.size() == num_proof_frames) try_many_threads();
}

void FrameSource::try_many_threads() {
  recording_ = false;
  saved_ = std::move(decoder_);
  saved_next_ = history_begin_ + static_cast<std::int64_t>(history_.size());
  trusted_from_ = saved_next_ + 2 * max_packets_in_flight;
  num_given_before_ = num_given_ + 1;  // the last of proof_ is on its way
  single_ = false;
  forget_waiting();
  keys_.assign(1, history_begin_);
  replay_ = 0;
  num_sent_ = history_begin_;
  decoder_ = std::make_unique<Decoder>(*codec_, packets_->time_base(), num_threads_, true);
}

/// True for a frame that the one thread gave already.
bool FrameSource::is_for_proof(const AVFrame& frame) {
  if (proof_.size() == 0) return false;
  if (frame.pts < entry_pts_) return true;
  if (!proof_.meets(frame))
    stay_with_one_thread(saved_next_);
  else if (proof_.size() == 0)
    log::to_file(concat("'", path_.string(), "': decoding goes on with many threads"));
  return true;
}

/// Goes on where the one thread was left; number: of the packet that was in the way.
void FrameSource::stay_with_one_thread(std::int64_t number) {
  single_ = true;
  decoder_ = std::move(saved_);
  forget_waiting();
  proof_.clear();
  replay_ = static_cast<std::size_t>(saved_next_ - history_begin_);
  skip_count_ = num_given_ - num_given_before_;
  sound_from_ = number + 1;
  sound_run_ = std::min(2 * sound_run_, max_sound_run);
}

void FrameSource::forget_proof() {
  recording_ = false;
  saved_.reset();
  proof_.clear();
}

}  // namespace atelier::media
