#include "record_builder.h"

#include <algorithm>
#include <utility>

#include "atelier/base/build_id.h"
#include "atelier/base/checked_cast.h"
#include "atelier/base/memory.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "atelier/media/muxer.h"
#include "atelier/tensor/device.h"
#include "job.h"

namespace atelier::pipeline {

RecordBuilder::RecordBuilder() {
  record_.start_time_s = wall_clock_s();
}

void RecordBuilder::describe(const Job& job) {
  for (const auto& [name, value] : job.config.settings) set("setting." + name, value);
  set("program_version", program_version());
  set("git_sha", git_sha());
  set("build_id", build_id());
  set("libtorch", tensor::library_versions());
  set("ffmpeg", media::library_versions());
  set("hdf5", io::library_versions());
  const media::InputInfo& input = job.input();
  set("input.path", input.path.string());
  set("input.container", input.container);
  set("input.codec", input.codec);
  set("input.stream_index", std::to_string(input.stream_index));
  set("input.stream_choice", input.stream_choice.empty() ? "the only one" : input.stream_choice);
  set("input.width_px", std::to_string(input.format.width_px));
  set("input.height_px", std::to_string(input.format.height_px));
  set("input.pixel_format", input.format.pixel_format);
  set("input.frame_bytes", std::to_string(frame_bytes(input.format)));
  set("input.time_base", concat(input.time_base.num, "/", input.time_base.den));
  set("input.frame_rate", concat(input.frame_rate.num, "/", input.frame_rate.den));
  set("input.duration_s", fixed(input.duration_s, 6));
  for (const media::StreamSummary& stream : input.streams) {
    set(concat("input.stream.", stream.index),
        concat(stream.kind, " ", stream.codec, " ", stream.description, stream.styled ? " (styled)" : ""));
  }
  set("encoder", job.encoder.encoder);
  set("encoder.pixel_format", job.encoder.pixel_format);
  std::vector<std::string> options;
  for (const auto& [key, value] : job.encoder.options) options.push_back(concat(key, "=", value));
  set("encoder.options", join(options, " "));
  set("decode_at", job.decoding.at_workers ? "workers" : "root");
  set("encode_at", job.encode_at_workers ? "workers" : "root");
  set("encode_threads", std::to_string(job.num_encoders * job.encoder.num_threads));
  num_root_encoders_ = job.encode_at_workers ? 0 : job.num_encoders;
  set("decode_threads", std::to_string(tensor::num_usable_cores()));
  set("chunk_frames", std::to_string(job.chunk_frames));
}

void RecordBuilder::event(int rank, const std::string& kind, const std::string& text) {
  record_.events.push_back({now_s(), rank, kind, text});
}

std::vector<io::EventRow> RecordBuilder::last_events(std::size_t count, std::size_t max_text) const {
  const auto& all = record_.events;
  std::vector<io::EventRow> events(all.end() - static_cast<std::ptrdiff_t>(std::min(count, all.size())),
                                   all.end());
  for (io::EventRow& row : events) {
    if (row.text.size() > max_text) row.text = row.text.substr(0, max_text) + " …";
  }
  return events;
}

void RecordBuilder::rank_ready(int rank, const std::string& role, const WorkerHello& hello,
                               const WorkerReady& ready) {
  io::RankRow& row = ranks_[rank];
  row.rank = rank;
  row.role = role;
  row.host = hello.host;
  row.device = ready.device;
  row.num_threads = ready.num_threads;
  row.num_encoders = ready.num_encoders;
  row.start_s = now_s();
  clocks_[rank].heard(ready.clock_s, row.start_s);
}

void RecordBuilder::rank_left(int rank, const WorkerGoodbye& goodbye) {
  io::RankRow& row = ranks_[rank];
  row.rank = rank;
  row.end_s = now_s();
  row.busy_s = goodbye.busy_s;
  row.num_frames = goodbye.num_frames;
  row.peak_memory_bytes = goodbye.peak_memory_bytes;
  row.cpu_s = goodbye.cpu_s;
  row.message_cpu_s = goodbye.message_cpu_s;
  row.bytes_sent = goodbye.bytes_sent;
  row.bytes_received = goodbye.bytes_received;
}

void RecordBuilder::root_worked(const Traffic& traffic, std::int64_t between_machines_bytes,
                                double message_cpu_s) {
  io::RankRow& row = ranks_[0];
  row.bytes_sent = traffic.sent_bytes;
  row.bytes_received = traffic.received_bytes;
  row.bytes_between_machines = between_machines_bytes;
  row.message_cpu_s = message_cpu_s;
}

io::ChunkRow& RecordBuilder::chunk_row(std::int64_t chunk_index) {
  const auto at = checked_cast<std::size_t>(chunk_index);
  if (at >= record_.chunks.size()) record_.chunks.resize(at + 1);
  return record_.chunks[at];
}

io::FrameRow& RecordBuilder::frame_row(std::int64_t frame_index) {
  const auto at = checked_cast<std::size_t>(frame_index);
  if (at >= record_.frames.size()) record_.frames.resize(at + 1);
  return record_.frames[at];
}

void RecordBuilder::chunk_dealt(std::int64_t chunk_index, std::int64_t first_frame, int rank) {
  if (record_.startup_s == 0) record_.startup_s = now_s();
  io::ChunkRow& row = chunk_row(chunk_index);
  row.chunk_index = chunk_index;
  row.first_frame = first_frame;
  row.rank = rank;
  row.dealt_s = now_s();
}

void RecordBuilder::frame_sent(const FrameInfo& info, std::int64_t chunk_index) {
  io::FrameRow& row = frame_row(info.frame_index);
  row.frame_index = info.frame_index;
  row.pts_ticks = info.pts_ticks;
  row.chunk_index = checked_cast<std::int32_t>(chunk_index);
  row.decode_s = static_cast<float>(info.decode_s);
  row.decoded_s = info.decoded_s;
  row.sent_s = now_s();
}

void RecordBuilder::forget_from(std::int64_t chunk_index, std::int64_t frame_index) {
  record_.chunks.resize(std::min(record_.chunks.size(), checked_cast<std::size_t>(chunk_index)));
  record_.frames.resize(std::min(record_.frames.size(), checked_cast<std::size_t>(frame_index)));
}

void RecordBuilder::chunk_ended(const Chunk& chunk) {
  chunk_row(chunk.index).end_frame = chunk.end_frame;
}

void RecordBuilder::chunk_dealt_again(std::int64_t chunk_index, int rank, int num_tries) {
  io::ChunkRow& row = chunk_row(chunk_index);
  row.rank = rank;
  row.num_tries = num_tries;
}

const io::FrameRow& RecordBuilder::frame_back(std::int64_t frame_index, int rank) {
  io::FrameRow& row = frame_row(frame_index);
  row.rank = rank;
  row.done_s = now_s();
  return row;
}

void RecordBuilder::chunk_times(int rank, const ChunkTimes& times) {
  WorkerClock& clock = clocks_[rank];
  clock.heard(times.clock_s, now_s());
  for (const FrameTimes& frame : times.frames) {
    io::FrameRow& row = frame_row(frame.frame_index);
    row.transfer_s = frame.transfer_s;
    row.convert_s = frame.convert_s;
    row.style_s = frame.style_s;
    row.received_s = clock.job_s(frame.received_s);
    row.style_begin_s = clock.job_s(frame.style_begin_s);
    if (frame.decode_s <= 0) continue;
    // It arrived when the worker's decoder gave it; it was not sent.
    row.decode_s = frame.decode_s;
    row.decoded_s = std::exchange(row.received_s, 0);
    row.sent_s = 0;
  }
}

void RecordBuilder::chunk_styled(std::int64_t chunk_index) {
  chunk_row(chunk_index).styled_s = now_s();
}

const io::ChunkRow& RecordBuilder::chunk_encoded(const EncodedChunk& encoded, int rank) {
  WorkerClock clock;
  if (encoded.clock_s > 0) {
    clock = clocks_[rank];
    clock.heard(encoded.clock_s, now_s());
  }
  io::ChunkRow& row = chunk_row(encoded.segment.chunk_index);
  row.encoded_s = now_s();
  row.encoded_bytes = packet_bytes(encoded.segment);
  row.encode_rank = rank;
  row.flush_begin_s = clock.job_s(encoded.flush_begin_s);
  row.encode_end_s = clock.job_s(encoded.end_s);
  for (std::size_t i = 0; i < encoded.encode_s.size(); ++i) {
    io::FrameRow& frame = frame_row(row.first_frame + static_cast<std::int64_t>(i));
    frame.encode_s = encoded.encode_s[i];
    if (i < encoded.begin_s.size()) frame.encode_begin_s = clock.job_s(encoded.begin_s[i]);
  }
  return row;
}

void RecordBuilder::chunk_restored(const Chunk& chunk, std::int64_t encoded_bytes,
                                   const std::vector<io::StoredFrame>& frames) {
  io::ChunkRow& row = chunk_row(chunk.index);
  row.chunk_index = chunk.index;
  row.first_frame = chunk.first_frame;
  row.end_frame = chunk.end_frame;
  row.rank = frames.front().rank;
  row.num_tries = 0;
  row.encoded_bytes = encoded_bytes;
  num_restored_frames_ += chunk.num_frames();
  std::int64_t index = chunk.first_frame;
  for (const io::StoredFrame& frame : frames) {
    io::FrameRow& stored = frame_row(index);
    stored.frame_index = index++;
    stored.pts_ticks = frame.pts_ticks;
    stored.chunk_index = checked_cast<std::int32_t>(chunk.index);
    stored.rank = frame.rank;
    stored.decode_s = frame.decode_s;
    stored.transfer_s = frame.transfer_s;
    stored.convert_s = frame.convert_s;
    stored.style_s = frame.style_s;
    stored.encode_s = frame.encode_s;
  }
}

std::vector<io::StoredFrame> RecordBuilder::stored_frames(std::int64_t chunk_index) {
  const io::ChunkRow& row = chunk_row(chunk_index);
  std::vector<io::StoredFrame> frames;
  for (std::int64_t index = row.first_frame; index < row.end_frame; ++index) {
    const io::FrameRow& frame = frame_row(index);
    frames.push_back({frame.pts_ticks, frame.rank, frame.decode_s, frame.transfer_s, frame.convert_s,
                      frame.style_s, frame.encode_s});
  }
  return frames;
}

const io::JobRecord& RecordBuilder::finish(const std::string& outcome, const std::string& error) {
  set("outcome", outcome);
  if (!error.empty()) set("error", error);
  record_.wall_s = now_s();
  for (auto& [rank, row] : ranks_) {
    if (rank == 0) row.num_encoders = num_root_encoders_;
    if (row.role == "root") {
      for (const io::FrameRow& frame : record_.frames) {
        const io::ChunkRow& chunk = chunk_row(frame.chunk_index);
        if (chunk.num_tries == 0) continue;
        if (decoded_at_root_) row.busy_s += static_cast<double>(frame.decode_s);
        if (chunk.encode_rank == 0) row.busy_s += static_cast<double>(frame.encode_s);
      }
      row.peak_memory_bytes = peak_memory_bytes();
    }
    if (rank == 0) row.cpu_s = process_cpu_seconds_s();
    if (row.end_s == 0) row.end_s = record_.wall_s;
    record_.ranks.push_back(row);
  }
  return record_;
}

}  // namespace atelier::pipeline
