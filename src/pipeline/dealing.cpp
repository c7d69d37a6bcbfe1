#include "dealing.h"

#include <utility>

#include "atelier/base/checked_cast.h"
#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/pipeline/protocol.h"
#include "atelier/schedule/policy.h"
#include "job.h"

namespace atelier::pipeline {

using schedule::ChunkScheduler;

Dealing::Dealing(const Parts& parts, int num_workers, std::optional<media::PacketReader> packets,
                 std::uint64_t setup_hash)
    : job_(parts.job),
      outbox_(parts.outbox),
      record_(parts.record),
      roster_(parts.roster),
      meter_(parts.meter),
      scheduler_(schedule::scheduler_config(job_.encode_at_workers, num_workers)),
      encode_(job_.encoder, job_.num_encoders, record_.clock()),
      max_sending_bytes_(schedule::sending_limit_bytes(frame_bytes(job_.input().format), num_workers)),
      max_waiting_(schedule::max_waiting_frames(job_.num_encoders, job_.chunk_frames)),
      reader_(std::move(packets)),
      setup_hash_(setup_hash) {
  if (const auto num_frames = job_.input().num_frames)
    scheduler_.expect_chunks((*num_frames + job_.chunk_frames - 1) / job_.chunk_frames);
}

void Dealing::add_worker(int worker, int credits, const schedule::EncoderChoice::Encoder& encoder) {
  encoder_choice_.add(worker, encoder);
  if (!encoder.helper) scheduler_.add_credits(worker, credits);
}

bool Dealing::feed(bool more) {
  return packets_ ? feed_packets(more) : feed_frames(more);
}

bool Dealing::finished() {
  if (!drained()) return false;
  if (packets_) return note_end_of_packets();
  return !next_frame_ && decode_->exhausted() && !next_is_found();
}

bool Dealing::feed_frames(bool more) {
  bool any = false;
  while (outbox_.bytes() < max_sending_bytes_) {
    skip_found();
    if (!next_frame_ && encode_.num_waiting() <= max_waiting_) next_frame_ = decode_->try_pop();
    if (filling_ && next_frame_) {
      send_next_frame();
    } else if (filling_ && decode_->exhausted()) {
      end_chunk();
    } else if (const auto deal = scheduler_.deal(!filling_ && next_frame_ && more)) {
      deal->retry ? deal_again(*deal) : begin_chunk(*deal);
    } else {
      break;
    }
    any = true;
  }
  return any;
}

// The next chunk to deal is one that an earlier start has finished.
bool Dealing::next_is_found() const {
  return !filling_ && storing_->found(scheduler_.next_chunk()) != nullptr;
}

// The decoder looks whether they are of this video.
void Dealing::skip_found() {
  while (next_is_found()) use_found(scheduler_.next_chunk());
}

void Dealing::use_found(std::int64_t chunk_index) {
  scheduler_.skip();
  if (storing_->use_found(chunk_index))
    meter_.frames_restored(storing_->found(chunk_index)->chunk.num_frames());
}

DealtChunk& Dealing::new_chunk(const ChunkScheduler::Deal& deal, std::int64_t first_frame) {
  DealtChunk& dealt = dealt_[deal.chunk_index];
  dealt.chunk = {deal.chunk_index, first_frame, first_frame};
  dealt.worker = deal.worker;
  dealt.encoder_rank = job_.encode_at_workers ? encoder_choice_.choose(deal.worker) : 0;
  record_.chunk_dealt(deal.chunk_index, first_frame, roster_.record_rank(deal.worker));
  outbox_.send(deal.worker, MessageKind::chunk_begin,
               {.flags = dealt.encoder_rank, .chunk_index = deal.chunk_index, .frame_index = first_frame});
  return dealt;
}

void Dealing::begin_chunk(const ChunkScheduler::Deal& deal) {
  const DealtChunk& dealt = new_chunk(deal, next_frame_->info.frame_index);
  if (dealt.encoder_rank != 0) send_extent(dealt);
  filling_ = deal.chunk_index;
}

void Dealing::send_next_frame() {
  DealtChunk& dealt = dealt_.at(*filling_);
  FrameInfo& info = next_frame_->info;
  const std::int64_t index = info.frame_index;
  record_.frame_sent(info, *filling_);
  if (dealt.encoder_rank != 0)
    outbox_.send(dealt.encoder_rank, MessageKind::frame_info, {.chunk_index = *filling_}, pack(info));
  dealt.infos.emplace(index, std::move(info));
  outbox_.send(dealt.worker, MessageKind::frame, {.chunk_index = *filling_, .frame_index = index},
               std::move(next_frame_->planes));
  next_frame_.reset();
  dealt.chunk.end_frame = index + 1;
  if (dealt.chunk.num_frames() == job_.chunk_frames) end_chunk();
}

void Dealing::end_chunk() {
  const DealtChunk& dealt = dealt_.at(*filling_);
  record_.chunk_ended(dealt.chunk);
  dealt.encoder_rank == 0 ? encode_.set_end(dealt.chunk) : send_extent(dealt);
  outbox_.send(dealt.worker, MessageKind::chunk_end, {.chunk_index = *filling_});
  filling_.reset();
}

// To the rank that encodes the chunk.
void Dealing::send_extent(const DealtChunk& dealt) {
  const Chunk& chunk = dealt.chunk;
  outbox_.send(dealt.encoder_rank, MessageKind::encode,
               {.flags = checked_cast<std::int32_t>(chunk.num_frames()),
                .chunk_index = chunk.index,
                .frame_index = chunk.first_frame});
}

void Dealing::deal_again(const ChunkScheduler::Deal& deal) {
  DealtChunk& dealt = dealt_.at(deal.chunk_index);
  dealt.worker = deal.worker;
  dealt.dealt_again = true;
  record_.chunk_dealt_again(deal.chunk_index, roster_.record_rank(deal.worker),
                            scheduler_.num_tries(deal.chunk_index));
  outbox_.send(
      deal.worker, MessageKind::chunk_begin,
      {.flags = dealt.encoder_rank, .chunk_index = deal.chunk_index, .frame_index = dealt.chunk.first_frame});
  for (auto& [index, planes] : std::exchange(dealt.returned, {}))
    outbox_.send(deal.worker, MessageKind::frame, {.chunk_index = deal.chunk_index, .frame_index = index},
                 std::move(planes));
  outbox_.send(deal.worker, MessageKind::chunk_end, {.chunk_index = deal.chunk_index});
}

bool Dealing::collect() {
  bool any = false;
  while (std::optional<EncodedChunk> encoded = encode_.try_pop()) {
    any = true;
    take_encoded(std::move(*encoded), 0);
  }
  while (const std::optional<Chunk> stored = storing_->try_pop_stored()) {
    any = true;
    scheduler_.finished(stored->index);
  }
  any |= storing_->drain_restored();
  storing_->mux().check();
  return any;
}

}  // namespace atelier::pipeline
