// Dealing where workers decode: packets out, verdicts back, and the way back to decoding at the root.
#include <algorithm>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/pipeline/protocol.h"
#include "atelier/schedule/policy.h"
#include "dealing.h"
#include "job.h"
#include "packet_hash.h"

namespace atelier::pipeline {

using schedule::ChunkScheduler;

void Dealing::open(Storing& storing) {
  storing_ = &storing;
  if (!reader_) return decode_at_root();
  const auto& found = storing.checkpoints().finished();
  const bool comparable = std::all_of(found.begin(), found.end(), [](const auto& entry) {
    return unpack_packet_hash(entry.second.reader_state).has_value();
  });
  if (!comparable) {
    log::info("decoding happens at the root: so did that of the finished chunks, which are compared with it");
    reader_.reset();
    return decode_at_root();
  }
  record_.set_decoded_at_root(false);
  packets_.emplace(std::move(*reader_));
}

void Dealing::decode_at_root() {
  record_.set_decoded_at_root(true);
  decode_.emplace(
      job_.reader,
      DecodeStageConfig{.capacity_frames = schedule::decode_capacity_frames(frame_bytes(job_.input().format)),
                        .chunk_frames = job_.chunk_frames,
                        .finished = storing_->kept(),
                        .clock = record_.clock()});
}

bool Dealing::feed_packets(bool more) {
  bool any = false;
  while (outbox_.bytes() < max_sending_bytes_) {
    if (!next_packets_) next_packets_ = packets_->try_pop();
    if (skip_found_packets()) {
      any = true;
      continue;
    }
    const bool new_ones =
        more && next_packets_ && verdicts_.fault().empty() && encode_.num_waiting() <= max_waiting_;
    const auto deal = scheduler_.deal(new_ones);
    if (!deal) break;
    deal->retry ? deal_again(*deal) : deal_packets(*deal);
    any = true;
  }
  note_end_of_packets();
  if (!verdicts_.fault().empty() && more && drained()) {
    fall_back();
    any = true;
  }
  return any;
}

// Whether the packets have come to an end, and nothing stands against that.
bool Dealing::note_end_of_packets() {
  if (next_packets_ || !packets_->exhausted()) return false;
  if (!packets_->obstacle().empty()) verdicts_.fault(packets_->obstacle());
  if (!verdicts_.fault().empty()) return false;
  const auto& found = storing_->checkpoints().finished();
  const auto beyond = found.lower_bound(scheduler_.next_chunk());
  if (beyond != found.end()) throw_changed(job_.config.input, beyond->second.chunk);
  return true;
}

bool Dealing::skip_found_packets() {
  if (!next_packets_ || !verdicts_.fault().empty()) return false;
  const std::int64_t index = next_packets_->chunk.index;
  const io::FoundSegment* found = storing_->found(index);
  if (found == nullptr || index != scheduler_.next_chunk()) return false;
  if (found->chunk.end_frame != next_packets_->chunk.end_frame ||
      unpack_packet_hash(found->reader_state) != (next_packets_->hash ^ setup_hash_))
    throw_changed(job_.config.input, found->chunk);
  use_found(index);
  verdicts_.good(index);
  next_packets_.reset();
  keep_what_is_known_good();
  return true;
}

void Dealing::deal_packets(const ChunkScheduler::Deal& deal) {
  media::PackedChunk packed = *std::exchange(next_packets_, std::nullopt);
  DealtChunk& dealt = new_chunk(deal, packed.chunk.first_frame);
  dealt.chunk = packed.chunk;
  dealt.packet_hash = packed.hash ^ setup_hash_;
  std::int64_t index = packed.chunk.first_frame;
  for (const std::int64_t pts : packed.pts_ticks) {
    FrameInfo info;
    info.frame_index = index;
    info.pts_ticks = pts;
    record_.frame_sent(info, packed.chunk.index);
    dealt.infos.emplace(index++, std::move(info));
  }
  record_.chunk_ended(packed.chunk);
  outbox_.send(deal.worker, MessageKind::packets, {.chunk_index = packed.chunk.index},
               std::move(packed.bytes));
}

void Dealing::take_decoded(std::int64_t chunk_index, const DecodedChunk& decoded) {
  num_decoded_frames_ += decoded.num_decoded_frames;
  DealtChunk& dealt = dealt_.at(chunk_index);
  if (!decoded.fault.empty()) {
    verdicts_.fault(concat("chunk ", chunk_index, ": ", decoded.fault));
    const auto num_styled = dealt.chunk.num_frames() - static_cast<std::int64_t>(dealt.infos.size());
    meter_.frames_lost(num_styled);
    scheduler_.styled(dealt.worker, chunk_index);
    dealt.faulty = true;
    if (dealt.encoder_rank == 0) {
      encode_.drop(chunk_index);
      dealt_.erase(chunk_index);
    } else {
      erase_if_dropped(chunk_index);
    }
    return;
  }
  num_used_frames_ += dealt.chunk.num_frames();
  hashes_[chunk_index] = decoded.hash;
  verdicts_.good(chunk_index);
  if (dealt.encoder_rank == 0) encode_.set_end(dealt.chunk);
  keep_what_is_known_good();
}

void Dealing::erase_if_dropped(std::int64_t chunk_index) {
  const DealtChunk& dealt = dealt_.at(chunk_index);
  if (!dealt.faulty || !dealt.dropped) return;
  encoder_choice_.dropped(dealt.encoder_rank);
  dealt_.erase(chunk_index);
}

void Dealing::keep_what_is_known_good() {
  while (!held_.empty() && held_.begin()->first < verdicts_.num_good()) {
    auto [index, held] = std::move(*held_.begin());
    held_.erase(held_.begin());
    storing_->keep(std::move(held.encoded), hashes_.extract(index).mapped(),
                   pack_packet_hash(held.packet_hash));
  }
}

// Nobody has a chunk any more, and all that are known to be good are stored. The root decodes from the start
// of the file, as a resumed job does: kept chunks are compared, the others are styled anew.
void Dealing::fall_back() {
  const std::int64_t first_chunk = verdicts_.num_good();
  const std::string text =
      concat("decoding goes on at the root from chunk ", first_chunk, " on (", verdicts_.fault(), ")");
  job_.config.decode == "workers" ? log::warning(text) : log::to_file(text);
  record_.event(0, "decode", text);
  std::int64_t first_frame = 0;
  if (const auto last = storing_->kept().find(first_chunk - 1); last != storing_->kept().end())
    first_frame = last->second.chunk.end_frame;
  for (const auto& [index, held] : held_)
    meter_.frames_lost(static_cast<std::int64_t>(held.encoded.encode_s.size()));
  held_.clear();
  hashes_.clear();
  record_.forget_from(first_chunk, first_frame);
  scheduler_.rewind(first_chunk);
  packets_.reset();
  next_packets_.reset();
  decode_at_root();
}

void Dealing::record_decoding() {
  if (num_decoded_frames_ == 0) return;
  record_.set("decode.frames_decoded_by_workers", std::to_string(num_decoded_frames_));
  record_.set("decode.frames_used_of_workers", std::to_string(num_used_frames_));
}

}  // namespace atelier::pipeline
