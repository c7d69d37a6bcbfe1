#include "atelier/pipeline/worker.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <thread>
#include <utility>

#include "atelier/base/checked_cast.h"
#include "atelier/base/error.h"
#include "atelier/base/exception_text.h"
#include "atelier/base/handle.h"
#include "atelier/base/log.h"
#include "atelier/base/memory.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "atelier/media/muxer.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/pipeline/protocol.h"
#include "counting_communicator.h"
#include "outbox.h"
#include "worker_guard.h"
#include "worker_parts.h"

namespace atelier::pipeline {
namespace {

using transport::Message;
using transport::MessageHeader;
constexpr transport::Rank root_rank = 0;

// A chunk that this worker has been dealt.
struct DealtChunk {
  std::int64_t first_frame = 0;
  transport::Rank encoder_rank = root_rank;
  std::int64_t num_received = 0;
  std::int64_t num_back = 0;
  bool ended = false;                 // chunk_end has come
  std::string error;                  // of its first frame that failed
  std::optional<DecodedChunk> fault;  // it could not be decoded: nothing of it counts
  std::vector<WorkItem> unstyled;
  std::vector<FrameTimes> times;

  [[nodiscard]] bool finished() const { return ended && num_back == num_received; }
};

struct RootGone : JobError {
  explicit RootGone(double silence_s)
      : JobError("the root is gone", concat("nothing was heard from it for ", fixed(silence_s, 0), " s"),
                 "Run the same command again: it goes on from what is stored") {}
};

class Worker {
 public:
  Worker(transport::Communicator& communicator, const WorkerConfig& config)
      : communicator_(communicator),
        config_(config),
        outbox_(communicator_),
        idle_(idle_limit(communicator.local_size(), tensor::num_usable_cores())) {}

  void run() {
    send(MessageKind::hello, {},
         pack(WorkerHello{host_name(), build_text(), tensor::gpu_ids(), io::this_process()}));
    while (!stopped_) {
      bool busy = outbox_.retire();
      while (std::optional<Message> message = communicator_.poll()) {
        handle(std::move(*message));
        busy = true;
      }
      while (parts_.compute) {
        std::optional<WorkItem> item = parts_.compute->try_pop();
        if (!item) break;
        --num_in_pool_;
        take_back(std::move(*item));
        busy = true;
      }
      busy |= take_decoded();
      busy |= send_segments();
      if (config_.own_process && root_watch_.gone()) throw RootGone(root_watch_.patience_s());
      wait(idle_.next(busy, communicator_.receiving()));
    }
    log::flush();
    send(MessageKind::goodbye, {}, pack(goodbye()));
    outbox_.drain();
  }

 private:
  // A finished frame ends it; messages are looked for afterwards only.
  void wait(Idle::Microseconds limit) {
    if (limit.count() == 0) return;
    if (!outbox_.empty() || num_decoding_ > 0) limit = std::min(limit, Idle::default_limit);
    if (parts_.compute)
      parts_.compute->wait_for(limit);
    else
      std::this_thread::sleep_for(limit);
  }

  [[nodiscard]] WorkerGoodbye goodbye() const {
    const Traffic traffic = communicator_.total();
    return {.num_frames = num_frames_,
            .busy_s = busy_s_,
            .peak_memory_bytes = peak_memory_bytes(),
            .cpu_s = process_cpu_seconds_s(),
            .message_cpu_s = thread_cpu_seconds_s() - cpu_at_start_s_,
            .bytes_sent = traffic.sent_bytes,
            .bytes_received = traffic.received_bytes};
  }

  void handle(Message message) {
    const MessageHeader& header = message.header;
    if (root_watch_.heard(header)) send(MessageKind::pong, {}, {});
    switch (static_cast<MessageKind>(header.kind)) {
      case MessageKind::ping:
        return;
      case MessageKind::setup:
        send(MessageKind::pong, {.flags = set_up_patience_s}, {});
        set_up(message.payload);
        return;
      case MessageKind::chunk_begin:
        begin_chunk(header);
        return;
      case MessageKind::frame_info:
      case MessageKind::encode:
      case MessageKind::to_encode:
      case MessageKind::drop:
        encode(header, std::move(message.payload));
        return;
      case MessageKind::frame:
        compute(header.chunk_index, header.frame_index, std::move(message.payload), {});
        return;
      case MessageKind::packets:
        decode(header.chunk_index, std::move(message.payload));
        return;
      case MessageKind::chunk_end:
        end_chunk(header.chunk_index);
        return;
      case MessageKind::stop:
        stopped_ = true;
        return;
      default:
        throw JobError(concat("message of kind ", header.kind, " at a worker"), "internal protocol error");
    }
  }

  void begin_chunk(const MessageHeader& header) {
    DealtChunk& chunk = chunks_[header.chunk_index];
    chunk.first_frame = header.frame_index;
    chunk.encoder_rank = header.flags;
  }

  void decode(std::int64_t chunk_index, Buffer packets) {
    const DealtChunk& chunk = chunks_.at(chunk_index);
    if (chunk.encoder_rank != root_rank)
      to_encoder(chunk, MessageKind::encode, {.chunk_index = chunk_index, .frame_index = chunk.first_frame});
    ++num_decoding_;
    parts_.decoders->push(chunk_index, std::move(packets));
  }

  // Of a chunk that is encoded here.
  void encode(const MessageHeader& header, Buffer payload) {
    const std::int64_t chunk_index = header.chunk_index;
    switch (static_cast<MessageKind>(header.kind)) {
      case MessageKind::frame_info:
        return parts_.encoders->add_info(chunk_index, unpack_frame_info(payload));
      case MessageKind::to_encode:
        return parts_.encoders->add_planes(chunk_index, header.frame_index, std::move(payload));
      case MessageKind::drop:
        parts_.encoders->drop(chunk_index);
        return send(MessageKind::dropped, {.chunk_index = chunk_index}, {});
      default:
        parts_.encoders->begin(chunk_index, header.frame_index);
        if (header.flags > 0)
          parts_.encoders->set_end({chunk_index, header.frame_index, header.frame_index + header.flags});
    }
  }

  // To the rank that encodes the chunk, which may be this one.
  void to_encoder(const DealtChunk& chunk, MessageKind kind, MessageHeader header, Buffer payload = {}) {
    header.kind = static_cast<std::int32_t>(kind);
    if (chunk.encoder_rank == communicator_.rank())
      encode(header, std::move(payload));
    else
      outbox_.send(chunk.encoder_rank, kind, header, std::move(payload));
  }

  void compute(std::int64_t chunk_index, std::int64_t frame_index, Buffer planes, FrameTimes times) {
    times.received_s = clock_.seconds_s();
    ++chunks_.at(chunk_index).num_received;
    ++num_in_pool_;
    parts_.compute->push({chunk_index, frame_index, std::move(planes), times, {}, {}});
  }

  // Only as many as keep the compute threads busy: the others wait in the decoders' queue, which is short.
  bool take_decoded() {
    bool any = false;
    while (parts_.decoders && num_in_pool_ < 2 * parts_.compute->num_threads() + 2) {
      std::optional<DecodePool::Item> item = parts_.decoders->try_pop();
      if (!item) break;
      any = true;
      item->frame ? take_frame(item->chunk_index, std::move(*item->frame))
                  : take_outcome(item->chunk_index, std::move(item->outcome));
    }
    return any;
  }

  void take_frame(std::int64_t chunk_index, FramePlanes frame) {
    const std::int64_t index = frame.info.frame_index;
    const FrameTimes times{.decode_s = static_cast<float>(frame.info.decode_s)};
    to_encoder(chunks_.at(chunk_index), MessageKind::frame_info, {.chunk_index = chunk_index},
               pack(frame.info));
    compute(chunk_index, index, std::move(frame.planes), times);
  }

  void take_outcome(std::int64_t chunk_index, DecodedChunk outcome) {
    --num_decoding_;
    if (outcome.fault.empty()) {
      send(MessageKind::decoded, {.chunk_index = chunk_index}, pack(outcome));
      const DealtChunk& chunk = chunks_.at(chunk_index);
      if (chunk.encoder_rank != root_rank)
        to_encoder(chunk, MessageKind::encode,
                   {.flags = checked_cast<std::int32_t>(chunk.num_received),
                    .chunk_index = chunk_index,
                    .frame_index = chunk.first_frame});
      end_chunk(chunk_index);
    } else {
      log::to_file(concat("chunk ", chunk_index, " cannot be decoded here: ", outcome.fault));
      chunks_.at(chunk_index).fault = std::move(outcome);
      drop_if_idle(chunk_index);
    }
  }

  // A chunk that could not be decoded, once no thread has frames of it any more.
  void drop_if_idle(std::int64_t chunk_index) {
    const DealtChunk& chunk = chunks_.at(chunk_index);
    if (chunk.num_back != chunk.num_received) return;
    if (chunk.encoder_rank != root_rank) to_encoder(chunk, MessageKind::drop, {.chunk_index = chunk_index});
    send(MessageKind::decoded, {.chunk_index = chunk_index}, pack(*chunk.fault));
    chunks_.erase(chunk_index);
  }

  void end_chunk(std::int64_t chunk_index) {
    chunks_.at(chunk_index).ended = true;
    finish_if_complete(chunk_index);
  }

  void set_up(const Buffer& bytes) {
    const WorkerSetup setup = unpack_setup(bytes);
    if (config_.own_process && !setup.log_dir.empty()) {
      log::configure({.rank = communicator_.rank(),
                      .file = std::filesystem::path(setup.log_dir) /
                              concat(setup.log_name, "-rank", communicator_.rank(), ".log")});
    }
    int credits = 0;
    const WorkerReady ready = make_worker_parts(setup, config_.make_engine, clock_, parts_, credits);
    log::to_file(concat("rank ", communicator_.rank(), " on ", host_name(), ": ", ready.device, ", ",
                        ready.num_threads, " threads"));
    if (!ready.capability.empty()) log::to_file(concat("makes frames with bits ", ready.capability));
    send(MessageKind::ready, {.flags = credits}, pack(ready));
  }

  void take_back(WorkItem item) {
    const std::int64_t chunk_index = item.chunk_index;
    DealtChunk& chunk = chunks_.at(chunk_index);
    ++chunk.num_back;
    if (chunk.fault) return drop_if_idle(chunk_index);
    item.times.frame_index = item.frame_index;
    // Whoever styles the frame next does not decode it again.
    if (!item.error.empty() && item.times.decode_s > 0) chunk.times.push_back(item.times);
    if (item.error.empty()) {
      const FrameTimes& t = item.times;
      busy_s_ += static_cast<double>(t.transfer_s + t.convert_s + t.style_s);
      ++num_frames_;
      chunk.times.push_back(item.times);
      log::to_file([&] {
        return concat("frame ", item.frame_index, " chunk ", chunk_index, ": convert ",
                      fixed(static_cast<double>(t.convert_s) * 1e3, 1), " ms, style ",
                      fixed(static_cast<double>(t.style_s) * 1e3, 1), " ms");
      });
      const MessageHeader header{.chunk_index = chunk_index, .frame_index = item.frame_index};
      const bool goes_back = chunk.encoder_rank == root_rank;
      if (!goes_back) to_encoder(chunk, MessageKind::to_encode, header, std::exchange(item.planes, {}));
      send(MessageKind::styled, header, std::move(item.planes));
    } else {
      log::to_file(concat("frame ", item.frame_index, " chunk ", chunk_index, " failed: ", item.error));
      if (chunk.error.empty()) chunk.error = concat("frame ", item.frame_index, ": ", item.error);
      chunk.unstyled.push_back(std::move(item));
    }
    finish_if_complete(chunk_index);
  }

  void finish_if_complete(std::int64_t chunk_index) {
    DealtChunk& chunk = chunks_.at(chunk_index);
    if (!chunk.finished()) return;
    send(MessageKind::chunk_done,
         {.flags = checked_cast<std::int32_t>(chunk.unstyled.size()), .chunk_index = chunk_index},
         pack(ChunkTimes{clock_.seconds_s(), std::move(chunk.times)}));
    if (chunk.unstyled.empty()) {
      log::to_file(concat("chunk ", chunk_index, " styled"));
      log::flush();  // whoever asks after a crash what was done finds it
    } else {
      for (WorkItem& item : chunk.unstyled)
        send(MessageKind::returned, {.chunk_index = chunk_index, .frame_index = item.frame_index},
             std::move(item.planes));
      send(MessageKind::chunk_failed, {.chunk_index = chunk_index}, pack(chunk.error));
    }
    chunks_.erase(chunk_index);
    if (config_.own_process) release_free_memory();
  }

  bool send_segments() {
    bool any = false;
    while (parts_.encoders) {
      std::optional<EncodedChunk> encoded = parts_.encoders->try_pop();
      if (!encoded) break;
      encoded->clock_s = clock_.seconds_s();
      send(MessageKind::segment, {.chunk_index = encoded->segment.chunk_index}, pack(*encoded));
      any = true;
    }
    return any;
  }

  void send(MessageKind kind, const MessageHeader& header, Buffer payload) {
    outbox_.send(root_rank, kind, header, std::move(payload));
  }

  CountingCommunicator communicator_;
  const WorkerConfig& config_;
  Outbox outbox_;
  Idle idle_;
  RootWatch root_watch_;
  WorkerParts parts_;
  int num_in_pool_ = 0;   // frames
  int num_decoding_ = 0;  // chunks
  std::map<std::int64_t, DealtChunk> chunks_;
  Stopwatch clock_;
  std::int64_t num_frames_ = 0;
  double busy_s_ = 0;
  double cpu_at_start_s_ = thread_cpu_seconds_s();
  bool stopped_ = false;
};

// Tells the root, and waits for it to end the job; ends it alone if the root keeps silent.
void report_failure(transport::Communicator& communicator, const WorkerConfig& config, ExitCode code,
                    const std::string& text) {
  log::to_file(text);
  log::flush();
  Outbox outbox(communicator);
  outbox.send(root_rank, MessageKind::failure, {.flags = static_cast<std::int32_t>(code)}, pack(text));
  const Stopwatch watch;
  constexpr double silence_s = 5;
  while (watch.seconds_s() < silence_s) {
    outbox.retire();
    while (const std::optional<Message> message = communicator.poll()) {
      if (static_cast<MessageKind>(message->header.kind) != MessageKind::stop) continue;
      outbox.send(root_rank, MessageKind::goodbye, {}, pack(WorkerGoodbye{}));
      outbox.drain();
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (config.own_process) communicator.abort(static_cast<int>(code));
}

}  // namespace

void run_worker(transport::Communicator& communicator, const WorkerConfig& config) {
  if (config.own_process) media::quiet_libraries();
  try {
    Worker(communicator, config).run();
  } catch (const RootGone& e) {  // nobody else can say it
    log::error(concat("rank ", communicator.rank(), " on ", host_name(), ": ", e.what()));
    communicator.abort(static_cast<int>(e.code()));
  } catch (const Error& e) {
    report_failure(communicator, config, e.code(), e.what());
  } catch (const std::exception& e) {
    report_failure(
        communicator, config, ExitCode::failed,
        concat("rank ", communicator.rank(), " on ", host_name(), " failed (", exception_text(e), ")"));
  }
}

}  // namespace atelier::pipeline
