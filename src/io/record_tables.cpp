#include "record_tables.h"

#include <array>

namespace atelier::io {
namespace {

using enum ColumnKind;

constexpr std::array rank_columns{
    Column{"rank", "1", int32, offsetof(PlainRankRow, rank)},
    Column{"role", "", text, offsetof(PlainRankRow, role)},
    Column{"host", "", text, offsetof(PlainRankRow, host)},
    Column{"device", "", text, offsetof(PlainRankRow, device)},
    Column{"num_threads", "1", int32, offsetof(PlainRankRow, num_threads)},
    Column{"start_s", "s", float64, offsetof(PlainRankRow, start_s)},
    Column{"end_s", "s", float64, offsetof(PlainRankRow, end_s)},
    Column{"busy_s", "s", float64, offsetof(PlainRankRow, busy_s)},
    Column{"num_frames", "frames", int64, offsetof(PlainRankRow, num_frames)},
    Column{"peak_memory_bytes", "bytes", int64, offsetof(PlainRankRow, peak_memory_bytes)},
    Column{"cpu_s", "s", float64, offsetof(PlainRankRow, cpu_s)},
    Column{"message_cpu_s", "s", float64, offsetof(PlainRankRow, message_cpu_s)},
    Column{"bytes_sent", "bytes", int64, offsetof(PlainRankRow, bytes_sent)},
    Column{"bytes_received", "bytes", int64, offsetof(PlainRankRow, bytes_received)},
    Column{"bytes_between_machines", "bytes", int64, offsetof(PlainRankRow, bytes_between_machines)},
    Column{"num_encoders", "1", int32, offsetof(PlainRankRow, num_encoders)},
};

static_assert(sizeof(int) == sizeof(std::int32_t));
constexpr std::array chunk_columns{
    Column{"chunk_index", "1", int64, offsetof(ChunkRow, chunk_index)},
    Column{"first_frame", "1", int64, offsetof(ChunkRow, first_frame)},
    Column{"end_frame", "1", int64, offsetof(ChunkRow, end_frame)},
    Column{"rank", "1", int32, offsetof(ChunkRow, rank)},
    Column{"num_tries", "1", int32, offsetof(ChunkRow, num_tries)},
    Column{"dealt_s", "s", float64, offsetof(ChunkRow, dealt_s)},
    Column{"styled_s", "s", float64, offsetof(ChunkRow, styled_s)},
    Column{"encoded_s", "s", float64, offsetof(ChunkRow, encoded_s)},
    Column{"encoded_bytes", "bytes", int64, offsetof(ChunkRow, encoded_bytes)},
    Column{"encode_rank", "1", int32, offsetof(ChunkRow, encode_rank)},
    Column{"flush_begin_s", "s", float64, offsetof(ChunkRow, flush_begin_s)},
    Column{"encode_end_s", "s", float64, offsetof(ChunkRow, encode_end_s)},
};

static_assert(sizeof(FrameRow) <= 128, "the record may grow by at most 128 bytes a frame");
constexpr std::array frame_columns{
    Column{"frame_index", "1", int64, offsetof(FrameRow, frame_index)},
    Column{"pts_ticks", "ticks of the input's time base", int64, offsetof(FrameRow, pts_ticks)},
    Column{"chunk_index", "1", int32, offsetof(FrameRow, chunk_index)},
    Column{"rank", "1", int32, offsetof(FrameRow, rank)},
    Column{"done_s", "s", float64, offsetof(FrameRow, done_s)},
    Column{"decode_s", "s", float32, offsetof(FrameRow, decode_s)},
    Column{"transfer_s", "s", float32, offsetof(FrameRow, transfer_s)},
    Column{"convert_s", "s", float32, offsetof(FrameRow, convert_s)},
    Column{"style_s", "s", float32, offsetof(FrameRow, style_s)},
    Column{"encode_s", "s", float32, offsetof(FrameRow, encode_s)},
    Column{"decoded_s", "s", float64, offsetof(FrameRow, decoded_s)},
    Column{"sent_s", "s", float64, offsetof(FrameRow, sent_s)},
    Column{"received_s", "s", float64, offsetof(FrameRow, received_s)},
    Column{"style_begin_s", "s", float64, offsetof(FrameRow, style_begin_s)},
    Column{"encode_begin_s", "s", float64, offsetof(FrameRow, encode_begin_s)},
};

constexpr std::array event_columns{
    Column{"time_s", "s", float64, offsetof(PlainEventRow, time_s)},
    Column{"rank", "1", int32, offsetof(PlainEventRow, rank)},
    Column{"kind", "", text, offsetof(PlainEventRow, kind)},
    Column{"text", "", text, offsetof(PlainEventRow, text)},
};

constexpr Table ranks{"ranks", "One row a rank; times count from the job's start", sizeof(PlainRankRow),
                      rank_columns};
constexpr Table chunks{"chunks",
                       "One row a chunk: frames [first_frame, end_frame); times count from the job's start",
                       sizeof(ChunkRow), chunk_columns};
constexpr Table frames{
    "frames",
    "One row a frame: decode_s to encode_s are time spent, the other seconds count from the "
    "job's start",
    sizeof(FrameRow), frame_columns};
constexpr Table events{"events", "Warnings, retries, damage and errors; time_s counts from the job's start",
                       sizeof(PlainEventRow), event_columns};

}  // namespace

const Table& ranks_table() {
  return ranks;
}
const Table& chunks_table() {
  return chunks;
}
const Table& frames_table() {
  return frames;
}
const Table& events_table() {
  return events;
}

}  // namespace atelier::io
