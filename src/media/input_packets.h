#pragma once

#include <cstddef>
#include <deque>

#include "input_clock.h"
#include "libav.h"

namespace atelier::media {

/// The packets of an input, each at its time on one clock (InputClock). Who reads the same file gets the same
/// times, whichever streams else are discarded. Only the clock of MP4 and MOV cannot step: it is made of
/// durations.
class InputPackets {
 public:
  /// Begins at the input's first packet, or after a seek. Where the clock may step, no sound and no pictures
  /// are discarded any more, since all of them tell of it. picture_stream: the styled one.
  InputPackets(AVFormatContext& input, int picture_stream);

  /// As av_read_frame. Errors come after all packets before them.
  int read(AVPacket& packet);
  [[nodiscard]] const ClockChanges& changes() const { return clock_.changes(); }

 private:
  void add(PacketPtr packet);
  [[nodiscard]] bool has_enough() const;

  AVFormatContext* input_;
  bool may_step_;
  InputClock clock_;
  struct Waiting {
    PacketPtr packet;
    bool is_steady;
  };
  std::deque<Waiting> waiting_;
  std::size_t num_steady_ = 0;  ///< of waiting_
  std::size_t steady_bytes_ = 0;
  std::size_t waiting_bytes_ = 0;
  int ended_ = 0;  ///< what av_read_frame said
};

}  // namespace atelier::media
