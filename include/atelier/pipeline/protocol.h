#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/base/buffer.h"
#include "atelier/frame/video_format.h"
#include "atelier/io/owner_mark.h"
#include "atelier/models/style_engine.h"

namespace atelier::pipeline {

/// Messages between root and workers; the value is the MPI tag. docs/protocol.md tells how they follow one
/// another.
enum class MessageKind : std::int32_t {
  // root → worker
  setup = 1,        ///< payload: WorkerSetup
  chunk_begin = 2,  ///< chunk_index, frame_index: its first; flags: a StyledGoes
  frame = 3,        ///< chunk_index, frame_index; payload: planes
  chunk_end = 4,    ///< chunk_index: no more frames of it will come
  stop = 5,         ///< the job is over
  frame_info = 6,   ///< frame_index; payload: FrameInfo; before a frame that is encoded at the worker
                    ///< worker → root: of a frame that it has decoded and the root encodes
  restyled = 7,     ///< chunk_index, frame_index; payload: planes of a frame that another worker styled
  packets = 8,      ///< chunk_index; payload: media::PacketChunk, packed; instead of frames and chunk_end
  ping = 30,        ///< a sign of life; flags: seconds until the next one at most, 0: no promise
  // worker → root
  hello = 10,         ///< payload: WorkerHello
  ready = 11,         ///< flags: credits; the engine is built
  styled = 12,        ///< chunk_index, frame_index; payload: planes, none if encoded at the worker
  chunk_done = 13,    ///< chunk_index, flags: frames not styled; payload: ChunkTimes of those that were
  returned = 14,      ///< chunk_index, frame_index; payload: planes as they came: this frame was not styled
  chunk_failed = 15,  ///< chunk_index; payload: text; last of a chunk that was not done wholly
  failure = 16,       ///< flags: exit code; payload: text; the worker cannot go on
  goodbye = 17,       ///< payload: WorkerGoodbye
  segment = 18,       ///< chunk_index; payload: EncodedChunk
  decoded = 19,       ///< chunk_index; payload: DecodedChunk; with a fault it is the chunk's last message
  pong = 31,          ///< answers a ping; flags: seconds for which it will be busy and say nothing, mostly 0
};

/// Where the styled frames of a chunk go from the worker that styles them.
enum class StyledGoes : std::int32_t {
  back = 0,       ///< to the root
  to_encoder = 1  ///< to the worker's own encoders; then the segment goes to the root
};

/// Who a worker is.
struct WorkerHello {
  std::string host;
  std::string build;  ///< version and git SHA: ranks of different builds are refused
  io::ProcessIdentity process;
};

/// All that a worker needs to know; only the root reads options, environment and files.
struct WorkerSetup {
  VideoFormat format;
  models::EngineSpec engine;
  std::string device = "auto";
  std::string root_host;  ///< workers on it leave the root its place among the ranks there
  int credits = 2;
  Buffer encoder;  ///< media::EncoderConfig, packed, where workers encode; else empty
  Buffer decoder;  ///< media::DecoderSetup, packed, where workers decode; else empty
  std::string log_dir;
  std::string log_name;  ///< start of the log file's name
};

/// What a worker runs on; sent with `ready`.
struct WorkerReady {
  std::string device;      ///< as people read it
  std::string capability;  ///< kind of CPU or GPU: workers of one job must agree
  int num_threads = 1;
  int num_encoders = 0;  ///< chunks that it encodes at the same time
  double clock_s = 0;    ///< its clock as it sends this: seconds since some moment of its own
};

struct WorkerGoodbye {
  std::int64_t num_frames = 0;
  double busy_s = 0;
  std::int64_t peak_memory_bytes = 0;
  double cpu_s = 0;          ///< of the process
  double message_cpu_s = 0;  ///< of it, of the thread that sends and receives
  std::int64_t bytes_sent = 0;
  std::int64_t bytes_received = 0;
};

/// Seconds of one frame at the worker. Plain data, sent as it is.
struct FrameTimes {
  std::int64_t frame_index = 0;
  float transfer_s = 0;  ///< host ↔ device
  float convert_s = 0;   ///< planes ↔ tensor
  float style_s = 0;
  float decode_s = 0;        ///< 0: not decoded there
  double received_s = 0;     ///< by the worker's clock: its planes had arrived
  double style_begin_s = 0;  ///< likewise: transfer, convert and style began
};

/// Of a chunk.
struct ChunkTimes {
  double clock_s = 0;  ///< the worker's clock as it sends this
  std::vector<FrameTimes> frames;
};

Buffer pack(const WorkerHello& hello);
Buffer pack(const WorkerSetup& setup);
Buffer pack(const WorkerReady& ready);
Buffer pack(const WorkerGoodbye& goodbye);
Buffer pack(const ChunkTimes& times);
Buffer pack(const std::string& text);

/// Each throws JobError for bytes that pack did not make.
WorkerHello unpack_hello(const Buffer& bytes);
WorkerSetup unpack_setup(const Buffer& bytes);
WorkerReady unpack_ready(const Buffer& bytes);
WorkerGoodbye unpack_goodbye(const Buffer& bytes);
ChunkTimes unpack_times(const Buffer& bytes);
std::string unpack_text(const Buffer& bytes);

/// "atelier 0.1.0 (git 0123456789ab)"
std::string build_text();

}  // namespace atelier::pipeline
