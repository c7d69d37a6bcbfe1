// Dealing: what workers say of their chunks.
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/pipeline/protocol.h"
#include "dealing.h"
#include "job.h"

namespace atelier::pipeline {

using schedule::ChunkScheduler;
using transport::Message;
using transport::MessageHeader;

bool Dealing::handle(Message& message) {
  const MessageHeader& header = message.header;
  switch (static_cast<MessageKind>(header.kind)) {
    case MessageKind::frame_info:
      take_info(header.chunk_index, unpack_frame_info(message.payload));
      return true;
    case MessageKind::decoded:
      take_decoded(header.chunk_index, unpack_decoded_chunk(message.payload));
      return true;
    case MessageKind::styled:
      take_styled(message);
      return true;
    case MessageKind::chunk_done:
      take_chunk_done(message);
      return true;
    case MessageKind::segment:
      dealt_.at(header.chunk_index).encoded = unpack_encoded_chunk(message.payload);
      finish_if_complete(header.chunk_index);
      return true;
    case MessageKind::dropped:
      dealt_.at(header.chunk_index).dropped = true;
      erase_if_dropped(header.chunk_index);
      return true;
    case MessageKind::returned:
      dealt_.at(header.chunk_index).returned.emplace(header.frame_index, std::move(message.payload));
      return true;
    case MessageKind::chunk_failed:
      take_failure(message);
      return true;
    default:
      return false;
  }
}

// A worker that encodes gets no more chunks than it can encode.
bool Dealing::holds_credit_until_encoded(std::int64_t chunk_index) const {
  const auto it = dealt_.find(chunk_index);
  return it != dealt_.end() && it->second.encoder_rank == it->second.worker && !it->second.dealt_again;
}

void Dealing::take_chunk_done(const Message& message) {
  const std::int64_t chunk_index = message.header.chunk_index;
  record_.chunk_times(roster_.record_rank(message.from), unpack_times(message.payload));
  if (message.header.flags > 0) return;
  record_.chunk_styled(chunk_index);
  if (!holds_credit_until_encoded(chunk_index)) scheduler_.styled(message.from, chunk_index);
  const auto it = dealt_.find(chunk_index);
  if (it == dealt_.end() || it->second.encoder_rank == 0) return;
  it->second.styled = true;
  encoder_choice_.styled(it->second.worker, it->second.encoder_rank);
  finish_if_complete(chunk_index);
}

// Of a chunk that a worker encodes: the words of who styles it and of who encodes it come in any order.
void Dealing::finish_if_complete(std::int64_t chunk_index) {
  DealtChunk& dealt = dealt_.at(chunk_index);
  if (!dealt.styled || !dealt.encoded) return;
  if (holds_credit_until_encoded(chunk_index)) scheduler_.styled(dealt.worker, chunk_index);
  encoder_choice_.encoded(dealt.encoder_rank);
  if (dealt.encoder_rank != dealt.worker)
    roster_.note_helped(
        dealt.worker, dealt.encoder_rank,
        dealt.chunk.num_frames() * static_cast<std::int64_t>(frame_bytes(job_.input().format)));
  take_encoded(std::move(*dealt.encoded), roster_.record_rank(dealt.encoder_rank));
}

void Dealing::take_info(std::int64_t chunk_index, FrameInfo info) {
  const std::int64_t frame_index = info.frame_index;
  dealt_.at(chunk_index).infos.insert_or_assign(frame_index, std::move(info));
}

void Dealing::take_styled(Message& message) {
  const MessageHeader& header = message.header;
  DealtChunk& dealt = dealt_.at(header.chunk_index);
  const auto info = dealt.infos.extract(header.frame_index);
  if (info.empty())
    throw JobError(concat("frame ", header.frame_index, " came back twice"), "internal error");
  const io::FrameRow& row = record_.frame_back(header.frame_index, roster_.record_rank(message.from));
  log::to_file([&] {
    return concat("frame ", header.frame_index, " chunk ", header.chunk_index, " back from rank ", row.rank,
                  " after ", fixed(row.done_s, 3), " s, decoded in ",
                  fixed(static_cast<double>(row.decode_s) * 1e3, 1), " ms");
  });
  meter_.frame_done();
  if (dealt.encoder_rank == 0) {
    encode_.add(header.chunk_index, dealt.chunk.first_frame,
                {std::move(info.mapped()), std::move(message.payload)});
  }
}

void Dealing::take_failure(const Message& message) {
  const std::int64_t chunk = message.header.chunk_index;
  const int worker = message.from;
  const std::string why = without_period(unpack_text(message.payload));
  const auto verdict = scheduler_.failed(worker, chunk);
  if (verdict == ChunkScheduler::Verdict::chunk_hopeless)
    throw JobError(concat("chunk ", chunk, " failed ", scheduler_.num_tries(chunk), " times"), why);
  if (verdict == ChunkScheduler::Verdict::no_worker_left)
    throw JobError("no worker is left", concat("the last one failed on chunk ", chunk, ": ", why));
  record_.event(roster_.record_rank(worker), "retry", concat("chunk ", chunk, ": ", why));
  log::warning(concat("chunk ", chunk, " failed on rank ", roster_.record_rank(worker), " (", why,
                      "). It is styled again",
                      scheduler_.retired(worker) ? "; that rank gets no more work" : ""));
  meter_.failure();
}

// What is encoded is stored and muxed; where workers decode, when all chunks before it are known to be right.
void Dealing::take_encoded(EncodedChunk encoded, int rank) {
  const std::int64_t index = encoded.segment.chunk_index;
  const io::ChunkRow& row = record_.chunk_encoded(encoded, rank);
  log::to_file(concat("chunk ", index, " encoded: ", row.end_frame - row.first_frame, " frames, ",
                      row.encoded_bytes, " bytes, ", fixed(encoded.segment.encode_s, 3), " s"));
  const std::uint64_t packet_hash = dealt_.at(index).packet_hash;
  dealt_.erase(index);
  if (decode_) return storing_->keep(std::move(encoded), decode_->take_hash(index), {});
  held_.emplace(index, Held{std::move(encoded), packet_hash});
  keep_what_is_known_good();
}

}  // namespace atelier::pipeline
