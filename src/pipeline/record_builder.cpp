#include "record_builder.h"

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
  set("libtorch", tensor::library_versions());
  set("ffmpeg", media::library_versions());
  set("hdf5", io::library_versions());
  const media::InputInfo& input = job.input();
  set("input.path", input.path.string());
  set("input.container", input.container);
  set("input.codec", input.codec);
  set("input.width_px", std::to_string(input.format.width_px));
  set("input.height_px", std::to_string(input.format.height_px));
  set("input.pixel_format", input.format.pixel_format);
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
  set("encode_at", job.encode_at_workers ? "workers" : "root");
  set("encode_threads", std::to_string(job.num_encoders * job.encoder.num_threads));
  set("decode_threads", std::to_string(tensor::num_usable_cores()));
  set("chunk_frames", std::to_string(job.chunk_frames));
}

void RecordBuilder::event(int rank, const std::string& kind, const std::string& text) {
  record_.events.push_back({now_s(), rank, kind, text});
}

void RecordBuilder::rank_ready(int rank, const std::string& role, const WorkerHello& hello,
                               const WorkerReady& ready) {
  io::RankRow& row = ranks_[rank];
  row.rank = rank;
  row.role = role;
  row.host = hello.host;
  row.device = ready.device;
  row.num_threads = ready.num_threads;
  row.start_s = now_s();
}

void RecordBuilder::rank_left(int rank, const WorkerGoodbye& goodbye) {
  io::RankRow& row = ranks_[rank];
  row.rank = rank;
  row.end_s = now_s();
  row.busy_s = goodbye.busy_s;
  row.num_frames = goodbye.num_frames;
  row.peak_memory_bytes = goodbye.peak_memory_bytes;
}

io::ChunkRow& RecordBuilder::chunk(std::int64_t chunk_index) {
  const auto at = checked_cast<std::size_t>(chunk_index);
  if (at >= record_.chunks.size()) record_.chunks.resize(at + 1);
  return record_.chunks[at];
}

io::FrameRow& RecordBuilder::frame(std::int64_t frame_index) {
  const auto at = checked_cast<std::size_t>(frame_index);
  if (at >= record_.frames.size()) record_.frames.resize(at + 1);
  return record_.frames[at];
}

void RecordBuilder::frame_times(const FrameTimes& times) {
  io::FrameRow& row = frame(times.frame_index);
  row.transfer_s = times.transfer_s;
  row.convert_s = times.convert_s;
  row.style_s = times.style_s;
}

const io::JobRecord& RecordBuilder::finish(const std::string& outcome, const std::string& error) {
  set("outcome", outcome);
  if (!error.empty()) set("error", error);
  record_.wall_s = now_s();
  for (auto& [rank, row] : ranks_) {
    if (row.role == "root") {
      for (const io::FrameRow& frame : record_.frames)
        row.busy_s += static_cast<double>(frame.decode_s + frame.encode_s);
      row.peak_memory_bytes = peak_memory_bytes();
    }
    if (row.end_s == 0) row.end_s = record_.wall_s;
    record_.ranks.push_back(row);
  }
  return record_;
}

}  // namespace atelier::pipeline
