#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "atelier/media/video_reader.h"
#include "decoder.h"
#include "nal_units.h"
#include "packet_source.h"

namespace atelier::media {

/// Demuxer + decoder: the decoded frames of the styled stream in output order.
///
/// It begins with many threads and a strict decoder. At the first fault it decodes again from the last
/// keyframe with one thread that conceals faults, and goes on with it: concealment on several threads depends
/// on timing.
class FrameSource {
 public:
  FrameSource(std::filesystem::path path, int num_threads);

  /// The next frame, null at the end.
  FramePtr read();
  /// Faults of frames before pts count no longer. Moves to a keyframe at or before pts where that is exact;
  /// false: nothing happened. Only before the first read, or right after rewind.
  bool seek(std::int64_t pts_ticks);
  void rewind();

  [[nodiscard]] const PacketSource& packets() const { return *packets_; }
  [[nodiscard]] const Damage& damage() const { return damage_; }

 private:
  void open_decoder();
  FramePtr next_decoded();
  FramePtr next_sound();
  [[nodiscard]] bool may_release() const;
  /// True for a packet that many threads must not decode.
  [[nodiscard]] bool needs_care(const AVPacket& packet) const;
  void note_decoded(const AVFrame& frame);
  void note_sent(const AVPacket& packet);
  void forget_waiting();
  void restart();
  void feed();
  void remember(const AVPacket& packet);
  void forget_old();
  struct Fault {
    std::int64_t number = -1;  ///< of its packet; -1: none was found
    std::int64_t pts = AV_NOPTS_VALUE;
    std::string text;
  };
  [[nodiscard]] Fault find_fault() const;
  void forget_all();
  /// At the first fault: one thread from the last keyframe on.
  void decode_again(const std::string& fault);
  void decode_again_from_start();
  bool is_given_already(const AVFrame& frame);
  void count_fault(bool failed);
  void count_damage(std::int64_t pts_ticks, const std::string& problem);

  std::filesystem::path path_;
  int num_threads_;
  std::unique_ptr<PacketSource> packets_;
  CodecParametersPtr codec_;  ///< of decoder_
  std::unique_ptr<Decoder> decoder_;
  std::optional<NalUnits> hevc_units_;  ///< for packets of HEVC
  bool single_ = false;                 ///< one thread, faults are concealed
  bool changing_codec_ = false;
  bool ended_ = false;
  bool seeked_ = false;
  Damage damage_;
  std::int64_t wanted_from_ = INT64_MIN;
  std::int64_t last_sent_pts_ = AV_NOPTS_VALUE;
  std::int64_t num_given_ = 0;
  std::int64_t last_given_pts_ = AV_NOPTS_VALUE;

  // What decoding again from the last keyframe needs: the packets since well before then.
  std::deque<PacketPtr> history_;
  std::deque<std::int64_t>
      keys_;  ///< numbers of the keyframes that came out, the first may lie before history_
  std::int64_t history_begin_ = 0;  ///< number of history_.front()
  std::size_t history_bytes_ = 0;
  bool history_has_all_ = true;  ///< nothing was forgotten yet
  std::size_t replay_ = 0;       ///< packets of history_ that went to the decoder

  // Many threads: packets without a frame yet, and frames that wait for those before them.
  struct Sent {
    std::int64_t number;
    std::int64_t pts;
    bool key;
  };
  struct Held {
    std::int64_t number;  ///< of its packet
    FramePtr frame;
  };
  std::deque<Sent> outstanding_;
  std::deque<Held> held_;
  std::int64_t num_sent_ = 0;
  std::int64_t decoded_number_ = 0;         ///< of the last decoded frame's packet
  std::int64_t first_corrupt_ = INT64_MAX;  ///< number of the first packet that the demuxer calls corrupt

  // While frames come a second time.
  std::int64_t first_fault_ = 0;  ///< number of the first faulty packet
  bool counts_faults_ = true;
  std::int64_t skip_count_ = 0;
  std::int64_t skip_to_pts_ = AV_NOPTS_VALUE;
  bool skip_target_seen_ = false;
};

}  // namespace atelier::media
