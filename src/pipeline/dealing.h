#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "atelier/media/packet_reader.h"
#include "atelier/pipeline/decoding_protocol.h"
#include "atelier/schedule/chunk_scheduler.h"
#include "atelier/schedule/encoder_choice.h"
#include "decode_stage.h"
#include "decode_verdicts.h"
#include "encode_stage.h"
#include "outbox.h"
#include "packet_stage.h"
#include "progress_meter.h"
#include "record_builder.h"
#include "storing.h"
#include "worker_roster.h"

namespace atelier::pipeline {

struct Job;

/// A chunk between its dealing and its encoding.
struct DealtChunk {
  Chunk chunk;
  int worker = 0;
  int encoder_rank = 0;  // that encodes it; 0: the root
  bool dealt_again = false;
  bool styled = false;                      // wholly
  std::optional<EncodedChunk> encoded;      // by a worker; may come before the last is said of its frames
  bool faulty = false;                      // its worker could not decode it
  bool dropped = false;                     // by encoder_rank, for that
  std::uint64_t packet_hash = 0;            // where a worker decodes it
  std::map<std::int64_t, FrameInfo> infos;  // of frames that are not styled yet
  std::map<std::int64_t, Buffer> returned;  // planes of frames that a worker could not style
};

/// The root's traffic in chunks: from the decoder, or from the demuxer where workers decode, to the workers,
/// and from them to the encoders and the store. One thread uses it.
class Dealing {
 public:
  struct Parts {
    Job& job;
    Outbox& outbox;
    RecordBuilder& record;
    WorkerRoster& roster;
    ProgressMeter& meter;
  };
  /// packets: where workers decode.
  Dealing(const Parts& parts, int num_workers, std::optional<media::PacketReader> packets,
          std::uint64_t setup_hash);

  /// The work directory is known: begins to read the video.
  void open(Storing& storing);
  /// A worker has room for this many chunks and encodes some at the same time, with credits 0 as a helper.
  void add_worker(int worker, int credits, const schedule::EncoderChoice::Encoder& encoder);

  /// Deals chunks and sends until no worker has room, nothing is ready, enough is under way, or the encoders
  /// have enough to do. more: whether new chunks may be dealt. Whether anything moved.
  bool feed(bool more);
  /// A message about a chunk. False: it is none.
  bool handle(transport::Message& message);
  /// Moves on what is encoded and stored. Whether anything moved.
  bool collect();

  /// Nothing is under way.
  [[nodiscard]] bool drained() const { return !filling_ && dealt_.empty() && !storing_->busy(); }
  /// The whole video has been styled.
  [[nodiscard]] bool finished();
  [[nodiscard]] std::int64_t num_under_way() const { return scheduler_.num_unfinished(); }
  /// Of what the root has decoded.
  [[nodiscard]] media::Damage damage() const { return decode_ ? decode_->damage() : media::Damage(); }
  /// Tells the record how much was decoded.
  void record_decoding();

 private:
  // Decoding at the root.
  void decode_at_root();
  bool feed_frames(bool more);
  bool next_is_found() const;
  void skip_found();
  void begin_chunk(const schedule::ChunkScheduler::Deal& deal);
  void send_next_frame();
  void end_chunk();
  void send_extent(const DealtChunk& dealt);
  // Decoding at the workers.
  bool feed_packets(bool more);
  bool skip_found_packets();
  bool note_end_of_packets();
  void deal_packets(const schedule::ChunkScheduler::Deal& deal);
  void take_decoded(std::int64_t chunk_index, const DecodedChunk& decoded);
  void erase_if_dropped(std::int64_t chunk_index);
  void fall_back();
  // Both.
  DealtChunk& new_chunk(const schedule::ChunkScheduler::Deal& deal, std::int64_t first_frame);
  void deal_again(const schedule::ChunkScheduler::Deal& deal);
  [[nodiscard]] bool holds_credit_until_encoded(std::int64_t chunk_index) const;
  void take_info(std::int64_t chunk_index, FrameInfo info);
  void take_styled(transport::Message& message);
  void take_failure(const transport::Message& message);
  void take_chunk_done(const transport::Message& message);
  void finish_if_complete(std::int64_t chunk_index);
  void take_encoded(EncodedChunk encoded, int rank);
  void keep_what_is_known_good();
  void use_found(std::int64_t chunk_index);

  Job& job_;
  Outbox& outbox_;
  RecordBuilder& record_;
  WorkerRoster& roster_;
  ProgressMeter& meter_;
  Storing* storing_ = nullptr;
  schedule::ChunkScheduler scheduler_;
  schedule::EncoderChoice encoder_choice_;
  EncodeStage encode_;
  std::size_t max_sending_bytes_;
  std::int64_t max_waiting_;  // frames for the encoders, above which no new ones are sent
  std::map<std::int64_t, DealtChunk> dealt_;

  std::optional<DecodeStage> decode_;  // decoding at the root
  std::optional<FramePlanes> next_frame_;
  std::optional<std::int64_t> filling_;  // the chunk that gets the frames being decoded

  std::optional<media::PacketReader> reader_;  // decoding at the workers, before open()
  std::uint64_t setup_hash_;                   // of what they know beside packets
  std::optional<PacketStage> packets_;
  std::optional<media::PackedChunk> next_packets_;
  struct Held {
    EncodedChunk encoded;
    std::uint64_t packet_hash = 0;
  };
  std::map<std::int64_t, Held> held_;             // encoded, while a chunk before them may be wrong
  std::map<std::int64_t, std::uint64_t> hashes_;  // of decoded chunks that are not kept yet
  DecodeVerdicts verdicts_;
  std::int64_t num_decoded_frames_ = 0;  // by workers
  std::int64_t num_used_frames_ = 0;     // of those
};

}  // namespace atelier::pipeline
