#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace atelier::io {

/// One rank's row.
struct RankRow {
  int rank = 0;
  std::string role;  ///< "root", "worker", "root+worker", "encoder": helps to encode and styles nothing
  std::string host;
  std::string device;
  int num_threads = 0;
  double start_s = 0;  ///< seconds after the job's start at which the rank was ready
  double end_s = 0;
  double busy_s =
      0;  ///< seconds in transfer, convert and style (a root: decode and encode), over all threads
  std::int64_t num_frames = 0;
  std::int64_t peak_memory_bytes = 0;
  double cpu_s = 0;          ///< user and system, of the whole process
  double message_cpu_s = 0;  ///< of it, of the thread that sends and receives, while the job runs
  std::int64_t bytes_sent = 0;
  std::int64_t bytes_received = 0;
  std::int64_t bytes_between_machines =
      0;                 ///< of all messages, those to ranks of other hosts (in the root's row)
  int num_encoders = 0;  ///< chunks that it encodes at the same time

  [[nodiscard]] bool styles() const { return role == "worker" || role == "root+worker"; }
};

/// One chunk's row; times in seconds after the job's start.
struct ChunkRow {
  std::int64_t chunk_index = 0;
  std::int64_t first_frame = 0;
  std::int64_t end_frame = 0;
  int rank = 0;       ///< that styled it
  int num_tries = 1;  ///< 0: an earlier start has made it; its times are 0
  double dealt_s = 0;
  double styled_s = 0;
  double encoded_s = 0;  ///< the segment was at the root
  std::int64_t encoded_bytes = 0;
  int encode_rank = 0;       ///< that encoded it
  double flush_begin_s = 0;  ///< its encoder had all frames and began to give out what it held back
  double encode_end_s = 0;   ///< and had done so
};

/// One frame's row: at most 128 bytes. Columns that end in _begin_s, and decoded_s to done_s, are seconds
/// after the job's start, 0 where not known (also in records of older versions); those of workers are placed
/// on the root's clock as WorkerClock says. The others are time spent.
struct FrameRow {
  std::int64_t frame_index = 0;
  std::int64_t pts_ticks = 0;
  std::int32_t chunk_index = 0;
  std::int32_t rank = 0;
  double done_s = 0;  ///< seconds after the job's start at which the styled frame was back at the root
  float decode_s = 0;
  float transfer_s = 0;
  float convert_s = 0;  ///< planes to tensor and back
  float style_s = 0;
  float encode_s = 0;
  double decoded_s = 0;      ///< decoding ended
  double sent_s = 0;         ///< the root began to send it to the worker
  double received_s = 0;     ///< it had arrived there
  double style_begin_s = 0;  ///< transfer, convert and style began, one after another
  double encode_begin_s =
      0;  ///< it was given to the encoder; encode_s has also its share of the chunk's flush
};

struct EventRow {
  double time_s = 0;  ///< after the job's start
  int rank = 0;
  std::string kind;  ///< "warning", "retry", "damage", "error" …
  std::string text;
};

/// What a job did. Written to HDF5 in one go, also when the job failed; groups /job (attributes), tables
/// /ranks, /chunks, /frames, /events.
struct JobRecord {
  std::vector<std::pair<std::string, std::string>>
      job;  ///< settings, versions, git SHA, input facts, launcher, outcome
  double wall_s = 0;
  double startup_s = 0;     ///< until the first chunk was dealt
  double start_time_s = 0;  ///< Unix time
  std::vector<RankRow> ranks;
  std::vector<ChunkRow> chunks;
  std::vector<FrameRow> frames;
  std::vector<EventRow> events;
};

/// Writes the HDF5 file front to back (built in memory first). Throws JobError.
void write_record(const std::filesystem::path& path, const JobRecord& record);
/// Throws UsageError for a file that is no record.
JobRecord read_record(const std::filesystem::path& path);
/// "HDF5 1.10.8"
std::string library_versions();

}  // namespace atelier::io
