#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "atelier/media/video_reader.h"
#include "decoder.h"
#include "frame_proof.h"
#include "nal_units.h"
#include "packet_classifier.h"
#include "packet_source.h"

namespace atelier::media {

/// Demuxer + decoder: the decoded frames of the styled stream in output order.
///
/// It begins with many threads and a strict decoder. At a fault it decodes again from the last keyframe with
/// one thread that conceals faults: concealment on several threads depends on timing. After a run of sound
/// packets it goes back to many threads at a packet where all that a decoder remembers begins anew, once
/// these have given the same frames from there on. All this depends on the video alone.
class FrameSource {
 public:
  FrameSource(std::filesystem::path path, std::optional<int> stream, int num_threads);

  /// The next frame, null at the end.
  FramePtr read();
  /// Faults of frames before pts count no longer. Moves to a keyframe at or before pts where that is exact;
  /// false: nothing happened. Only before the first read, or right after rewind.
  bool seek(std::int64_t pts_ticks);
  void rewind();

  [[nodiscard]] const PacketSource& packets() const { return *packets_; }
  [[nodiscard]] const Damage& damage() const { return damage_; }
  /// True while one thread decodes and conceals.
  [[nodiscard]] bool conceals() const { return single_; }

 private:
  void open_decoder();
  FramePtr next_decoded();
  FramePtr next_sound();
  [[nodiscard]] bool may_release() const;
  /// True for a packet that many threads must not decode.
  [[nodiscard]] bool needs_care(const AVPacket& packet) const;
  void note_decoded(const AVFrame& frame);
  void note_sent(const AVPacket& packet, std::int64_t number);
  void forget_waiting();
  void restart();
  void feed();
  void remember(const AVPacket& packet, std::int64_t number);
  void forget_old();
  struct Fault {
    std::int64_t number = -1;  ///< of its packet; -1: none was found
    std::int64_t pts = AV_NOPTS_VALUE;
    std::string text;
  };
  [[nodiscard]] Fault find_fault() const;
  void forget_all();
  /// At a fault: one thread from the last keyframe on.
  void decode_again(const std::string& fault);
  void decode_again_from_start();
  bool is_given_already(const AVFrame& frame);
  void count_fault(bool failed);
  void count_damage(std::int64_t pts_ticks, const std::string& problem);

  void look_for_entry(const AVPacket& packet, std::int64_t number);
  void note_unsound();
  void note_concealed(const AVFrame& frame);
  void try_many_threads();
  bool is_for_proof(const AVFrame& frame);
  void stay_with_one_thread(std::int64_t number);
  void forget_proof();

  /// Decoding again begins at least this many packets before the first faulty one: further back than any
  /// frame that was not given out yet, so that the place depends on the video alone, not on threads.
  static constexpr std::int64_t min_lead_packets = 96;
  /// A fault is noticed before this many more packets are sent.
  static constexpr std::int64_t max_packets_in_flight = 32;
  /// Sound packets before one thread becomes many again. Twice as many after each fault, for each costs the
  /// way there and back.
  static constexpr std::int64_t min_sound_run = 128, max_sound_run = 8192;

  std::filesystem::path path_;
  int num_threads_;
  std::unique_ptr<PacketSource> packets_;
  CodecParametersPtr codec_;  ///< of decoder_
  std::unique_ptr<Decoder> decoder_;
  std::optional<NalUnits> hevc_units_;            ///< for packets of HEVC
  std::unique_ptr<PacketClassifier> classifier_;  ///< null: one thread stays one thread
  bool single_ = false;                           ///< one thread, faults are concealed
  bool single_for_good_ = false;
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
  std::int64_t num_read_ = 0;               ///< packets that came; the number of the next one
  std::int64_t num_sent_ = 0;               ///< number of the next packet that goes to the decoder
  std::int64_t decoded_number_ = 0;         ///< of the last decoded frame's packet
  std::int64_t first_corrupt_ = INT64_MAX;  ///< number of the first packet that the demuxer calls corrupt

  // While frames come a second time.
  std::int64_t first_fault_ = 0;  ///< number of the first faulty packet
  bool counts_faults_ = true;
  std::int64_t skip_count_ = 0;
  std::int64_t skip_to_pts_ = AV_NOPTS_VALUE;
  bool skip_target_seen_ = false;

  // From one thread to many.
  std::int64_t sound_from_ = 0;  ///< number of the first packet after the last fault
  std::int64_t sound_run_ = min_sound_run;
  bool recording_ = false;             ///< history_ begins at the entry, proof_ grows
  std::int64_t entry_number_ = -1;     ///< of the packet where many threads began last
  std::int64_t entry_pts_ = 0;         ///< its time
  FrameProof proof_;                   ///< what one thread gave from there on
  std::unique_ptr<Decoder> saved_;     ///< that thread's decoder, until the others are trusted
  std::int64_t saved_next_ = 0;        ///< number of the packet that it is to get next
  std::int64_t trusted_from_ = 0;      ///< a fault before this packet brings saved_ back
  std::int64_t num_given_before_ = 0;  ///< frames given when saved_ was left
};

}  // namespace atelier::media
