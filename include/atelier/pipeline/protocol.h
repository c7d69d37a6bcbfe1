#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/buffer.h"
#include "atelier/frame/video_format.h"
#include "atelier/io/owner_mark.h"
#include "atelier/models/style_engine.h"
#include "atelier/tensor/device.h"

namespace atelier::pipeline {

/// Messages between root and workers; the value is the MPI tag. docs/protocol.md tells how they follow one
/// another.
enum class MessageKind : std::int32_t {
  // root → worker
  setup = 1,        ///< payload: WorkerSetup
  chunk_begin = 2,  ///< chunk_index, frame_index: its first; flags: the rank that encodes it, 0: the root
  frame = 3,        ///< chunk_index, frame_index; payload: planes
  chunk_end = 4,    ///< chunk_index: no more frames of it will come
  stop = 5,         ///< the job is over
  packets = 8,      ///< chunk_index; payload: media::PacketChunk, packed; instead of frames and chunk_end
  ping = 30,        ///< a sign of life; flags: seconds until the next one at most, 0: no promise
  // who decodes a chunk → the rank that encodes it
  encode = 20,      ///< chunk_index, frame_index: its first; flags: how many frames, 0: told later
  frame_info = 21,  ///< chunk_index; payload: FrameInfo
  drop = 22,        ///< chunk_index; it could not be decoded, and none of its frames come any more
  // worker that styles a chunk → the worker that encodes it
  to_encode = 23,  ///< chunk_index, frame_index; payload: planes, styled
  // worker → root
  hello = 10,         ///< payload: WorkerHello
  ready = 11,         ///< flags: credits; the engine is built
  styled = 12,        ///< chunk_index, frame_index; payload: planes, none unless the root encodes
  chunk_done = 13,    ///< chunk_index, flags: frames not styled; payload: ChunkTimes of those that were
  returned = 14,      ///< chunk_index, frame_index; payload: planes as they came: this frame was not styled
  chunk_failed = 15,  ///< chunk_index; payload: text; last of a chunk that was not done wholly
  failure = 16,       ///< flags: exit code; payload: text; the worker cannot go on
  goodbye = 17,       ///< payload: WorkerGoodbye
  segment = 18,       ///< chunk_index; payload: EncodedChunk
  dropped = 24,       ///< chunk_index; it is not being encoded any more
  decoded = 19,       ///< chunk_index; payload: DecodedChunk; with a fault it is the chunk's last message
  pong = 31,          ///< answers a ping; flags: seconds for which it will be busy and say nothing, mostly 0
};

/// Who a worker is.
struct WorkerHello {
  std::string host;
  std::string build;                   ///< build_text(): ranks of different builds are refused
  std::vector<std::string> gpus = {};  ///< ids of those that it sees, by index
  io::ProcessIdentity process;
};

/// All that a worker needs to know; only the root reads options, environment and files.
struct WorkerSetup {
  VideoFormat format;
  models::EngineSpec engine;
  std::optional<tensor::Device> device = tensor::Device{};  ///< none: it styles nothing
  int num_workers_here = 1;                                 ///< on its machine: they share its cores
  int credits = 2;
  Buffer encoder;  ///< media::EncoderConfig, packed, where workers encode; else empty
  Buffer decoder;  ///< media::DecoderSetup, packed, where workers decode; else empty
  std::string log_dir;
  std::string log_name;             ///< start of the log file's name
  std::string simulated_processor;  ///< --simulated-processor of this rank; else empty
};

/// What a worker runs on; sent with `ready`.
struct WorkerReady {
  std::string device;      ///< as people read it
  std::string capability;  ///< GPU, or bits of a trial frame on the CPU: workers of one job must agree
  int num_threads = 1;     ///< that style; 0: it helps to encode
  int num_encoders = 0;    ///< chunks that it encodes at the same time
  double clock_s = 0;      ///< its clock as it sends this: seconds since some moment of its own
  std::string encoder_processor = {};  ///< media::encoder_processor, where it encodes: likewise
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

}  // namespace atelier::pipeline
