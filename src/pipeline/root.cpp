#include "atelier/pipeline/root.h"

#include <algorithm>
#include <csignal>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "atelier/base/checked_cast.h"
#include "atelier/base/error.h"
#include "atelier/base/hash.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/pipeline/protocol.h"
#include "atelier/schedule/chunk_scheduler.h"
#include "atelier/schedule/policy.h"
#include "checkpoints.h"
#include "counting_communicator.h"
#include "decode_stage.h"
#include "encode_stage.h"
#include "job.h"
#include "job_fingerprint.h"
#include "mux_stage.h"
#include "outbox.h"
#include "progress_meter.h"
#include "record_builder.h"
#include "worker_roster.h"

namespace atelier::pipeline {
namespace {

using schedule::ChunkScheduler;
using transport::Message;
using transport::MessageHeader;

// A chunk between its first frame's decoding and its encoding.
struct DealtChunk {
  Chunk chunk;
  int worker = 0;
  int encoder_rank = 0;                     // the worker that encodes it; 0: the root
  bool dealt_again = false;                 // its frames come back, and go to encoder_rank from here
  std::map<std::int64_t, FrameInfo> infos;  // of frames that are not styled yet
  std::map<std::int64_t, Buffer> returned;  // planes of frames that a worker could not style
};

// mpirun sends TERM to all ranks when one of them has died.
Error interrupted_by(int signal) {
  return Error(
      ExitCode::interrupted, "interrupted",
      signal == SIGTERM
          ? "a TERM signal came: from a person, the scheduler, or the launcher because another rank died"
          : concat("signal ", signal, " came"),
      "Run the same command again");
}

media::MuxerConfig muxer_config(const Job& job, const std::string& start_id) {
  return {.output = job.config.output,
          .scratch = job.config.stage_dir,
          .start_id = start_id,
          .input = job.input(),
          .encoder = job.encoder,
          .start_s = job.config.start_s,
          .duration_s = job.config.duration_s};
}

FinishedChunks finished_chunks(const Checkpoints& checkpoints) {
  FinishedChunks finished;
  for (const auto& [index, found] : checkpoints.finished()) finished[index] = {found.chunk, found.input_hash};
  return finished;
}

}  // namespace

struct Root::Impl {
  Impl(Job& job, transport::Communicator& communicator, RecordBuilder& record, const RootConfig& config)
      : job_(job),
        communicator_(communicator),
        record_(record),
        config_(config),
        outbox_(communicator_),
        roster_(job, communicator_, record, config.alone),
        scheduler_(schedule::scheduler_config(job.encode_at_workers, communicator.size() - 1)),
        meter_(config.progress, job.input().num_frames),
        max_sending_bytes_(
            schedule::sending_limit_bytes(frame_bytes(job.input().format), communicator.size() - 1)),
        max_waiting_(schedule::max_waiting_frames(job.num_encoders, job.chunk_frames)),
        encode_(job.encoder, job.num_encoders) {
    if (const auto num_frames = job.input().num_frames)
      scheduler_.expect_chunks((*num_frames + job.chunk_frames - 1) / job.chunk_frames);
  }

  void run() {
    while (roster_.num_ready() == 0) {
      step();
      check_interrupted();
    }
    try {
      open();
      style();
      publish();
      for (const std::string& warning : mux_->warnings()) warn(warning);
      stop_workers();
      roster_.note_traffic(communicator_, thread_cpu_seconds_s() - cpu_at_start_s_);
      checkpoints_->ended(io::JobStatus::done, ExitCode::done, "");
      checkpoints_->remove();
    } catch (const Error& e) {
      leave(e.code(), e.what());
      throw;
    } catch (const std::exception& e) {
      leave(ExitCode::failed, e.what());
      throw;
    }
    meter_.finish(true);
  }

  // The kind of processor is known: looks for what earlier starts have finished.
  void open() {
    const std::string start_id = new_start_id(job_.config);
    auto muxer = std::make_unique<media::Muxer>(muxer_config(job_, start_id));
    open_checkpoints(start_id);
    fingerprint_hash_ = checkpoints_->fingerprint().hash();
    for (const std::string& finding : checkpoints_->findings()) {
      log::info(finding);
      record_.event(0, "resume", finding);
    }
    mux_.emplace(std::move(muxer), checkpoints_->segments());
    decode_.emplace(job_.reader, DecodeStageConfig{.capacity_frames = schedule::decode_capacity_frames(
                                                       frame_bytes(job_.input().format)),
                                                   .chunk_frames = job_.chunk_frames,
                                                   .finished = finished_chunks(*checkpoints_)});
  }

  void open_checkpoints(const std::string& start_id) {
    try {
      checkpoints_.emplace(CheckpointsConfig{.run = &job_.config,
                                             .start_id = start_id,
                                             .launcher = config_.launcher,
                                             .fingerprint = job_fingerprint(job_, roster_.capability()),
                                             .num_frames = job_.input().num_frames,
                                             .give_up_waiting = [this] { check_interrupted(); }});
    } catch (const JobError&) {
      // Another start that finishes meanwhile removes the work directory under our feet.
      check_output_is_free(job_.config);
      throw;
    }
  }

  void style() {
    while (!finished()) {
      step();
      if (!ending_ && (ending_ = interruption())) {
        // Before anything else: mpirun may leave no time later, and who reads the line may send a second
        // signal.
        checkpoints_->ended(io::JobStatus::interrupted, ending_->code(), ending_->what());
        say_what_is_under_way();
      }
      if (ending_ && (drained() || since_ending_.seconds_s() > job_.config.grace_s)) throw *ending_;
    }
    if (meter_.num_frames_done() == 0)
      throw UsageError(concat("no frame to style in '", job_.config.input.string(), "'"),
                       "--start and --duration leave none", "Choose an earlier --start");
    report_damage();
  }

  // The rest of the file is written and gets its name; no first signal stops that.
  void publish() {
    mux_->finish();
    while (!mux_->finished()) {
      checkpoints_->tick();
      meter_.tick();
      idle_.wait_unless(receive());
    }
    drain_restored();
  }

  // Why the job is to end before its end, if it is.
  std::optional<Error> interruption() {
    std::optional<Error> why;
    if (const int signal = config_.interrupted ? config_.interrupted() : 0; signal != 0) {
      why = interrupted_by(signal);
    } else if (job_.config.max_time_s > 0 && record_.now_s() > job_.config.max_time_s) {
      why = Error(ExitCode::interrupted, "interrupted", "--max-time is over", "Run the same command again");
    } else {
      return std::nullopt;
    }
    since_ending_.restart_s();
    return why;
  }

  void say_what_is_under_way() const {
    const std::int64_t under_way = scheduler_.num_unfinished();
    if (under_way == 0 || job_.config.grace_s <= 0) return;
    log::info(concat("interrupted; finishes what is under way (", under_way,
                     under_way == 1 ? " chunk" : " chunks", ") for up to ", fixed(job_.config.grace_s, 0),
                     " s"));
  }

  void check_interrupted() {
    if (const std::optional<Error> why = interruption()) throw *why;
  }

  void leave(ExitCode code, const std::string& text) {
    roster_.note_traffic(communicator_, thread_cpu_seconds_s() - cpu_at_start_s_);
    if (!checkpoints_) return;
    if (code == ExitCode::usage && checkpoints_->finished().empty())
      checkpoints_->remove();
    else
      checkpoints_->ended(code == ExitCode::interrupted ? io::JobStatus::interrupted : io::JobStatus::failed,
                          code, text);
  }

  // One round of everything that may have moved.
  void step() {
    bool busy = outbox_.retire();
    busy |= receive();
    if (mux_) {
      busy |= feed();
      busy |= collect();
      checkpoints_->tick();
    }
    meter_.tick();
    idle_.wait_unless(busy, communicator_.receiving());
  }

  bool finished() { return drained() && !next_frame_ && decode_->exhausted() && !next_is_stored(); }

  // Nothing is under way.
  bool drained() { return !filling_ && scheduler_.num_unfinished() == 0; }

  // The next chunk to deal is one that an earlier start has finished.
  bool next_is_stored() { return !filling_ && checkpoints_->finished().contains(scheduler_.next_chunk()); }

  void skip_stored() {
    while (next_is_stored()) {
      const std::int64_t index = scheduler_.next_chunk();
      scheduler_.skip();
      meter_.frames_restored(checkpoints_->finished().at(index).chunk.num_frames());
      mux_->add_stored(index);
    }
  }

  // Deals chunks and sends frames until no worker has room, no frame is decoded, enough is under way, or the
  // encoders have enough to do.
  bool feed() {
    bool any = false;
    while (outbox_.bytes() < max_sending_bytes_) {
      skip_stored();
      if (!next_frame_ && encode_.num_waiting() <= max_waiting_) next_frame_ = decode_->try_pop();
      if (filling_ && next_frame_) {
        send_next_frame();
      } else if (filling_ && decode_->exhausted()) {
        end_chunk();
      } else if (const auto deal = scheduler_.deal(!filling_ && next_frame_ && !ending_)) {
        deal->retry ? deal_again(*deal) : begin_chunk(*deal);
      } else {
        break;
      }
      any = true;
    }
    return any;
  }

  void begin_chunk(const ChunkScheduler::Deal& deal) {
    const std::int64_t first = next_frame_->info.frame_index;
    DealtChunk& dealt = dealt_[deal.chunk_index];
    dealt.chunk = {deal.chunk_index, first, first};
    dealt.worker = deal.worker;
    dealt.encoder_rank = job_.encode_at_workers ? deal.worker : 0;
    filling_ = deal.chunk_index;
    record_.chunk_dealt(deal.chunk_index, first, roster_.record_rank(deal.worker));
    const StyledGoes goes = job_.encode_at_workers ? StyledGoes::to_encoder : StyledGoes::back;
    outbox_.send(
        deal.worker, MessageKind::chunk_begin,
        {.flags = static_cast<std::int32_t>(goes), .chunk_index = deal.chunk_index, .frame_index = first});
  }

  void send_next_frame() {
    DealtChunk& dealt = dealt_.at(*filling_);
    FrameInfo& info = next_frame_->info;
    const std::int64_t index = info.frame_index;
    record_.frame_sent(info, *filling_);
    if (dealt.encoder_rank != 0)
      outbox_.send(dealt.worker, MessageKind::frame_info, {.frame_index = index}, pack(info));
    dealt.infos.emplace(index, std::move(info));
    outbox_.send(dealt.worker, MessageKind::frame, {.chunk_index = *filling_, .frame_index = index},
                 std::move(next_frame_->planes));
    next_frame_.reset();
    dealt.chunk.end_frame = index + 1;
    if (dealt.chunk.num_frames() == job_.chunk_frames) end_chunk();
  }

  void end_chunk() {
    const DealtChunk& dealt = dealt_.at(*filling_);
    record_.chunk_ended(dealt.chunk);
    if (dealt.encoder_rank == 0) encode_.set_end(dealt.chunk);
    outbox_.send(dealt.worker, MessageKind::chunk_end, {.chunk_index = *filling_});
    filling_.reset();
  }

  void deal_again(const ChunkScheduler::Deal& deal) {
    DealtChunk& dealt = dealt_.at(deal.chunk_index);
    dealt.worker = deal.worker;
    dealt.dealt_again = true;
    record_.chunk_dealt_again(deal.chunk_index, roster_.record_rank(deal.worker),
                              scheduler_.num_tries(deal.chunk_index));
    outbox_.send(deal.worker, MessageKind::chunk_begin,
                 {.flags = static_cast<std::int32_t>(StyledGoes::back), .chunk_index = deal.chunk_index});
    for (auto& [index, planes] : std::exchange(dealt.returned, {}))
      outbox_.send(deal.worker, MessageKind::frame, {.chunk_index = deal.chunk_index, .frame_index = index},
                   std::move(planes));
    outbox_.send(deal.worker, MessageKind::chunk_end, {.chunk_index = deal.chunk_index});
  }

  bool receive() {
    bool any = false;
    while (std::optional<Message> message = communicator_.poll()) {
      handle(std::move(*message));
      any = true;
    }
    return any;
  }

  void handle(Message message) {
    const MessageHeader& header = message.header;
    switch (static_cast<MessageKind>(header.kind)) {
      case MessageKind::hello:
        outbox_.send(message.from, MessageKind::setup, {},
                     roster_.greet(message.from, unpack_hello(message.payload)));
        return;
      case MessageKind::ready:
        roster_.ready(message.from, unpack_ready(message.payload));
        meter_.set_num_workers(roster_.num_ready());
        scheduler_.add_credits(message.from, header.flags);
        return;
      case MessageKind::styled:
        take_styled(std::move(message));
        return;
      case MessageKind::chunk_done:
        for (const FrameTimes& times : unpack_times(message.payload)) record_.frame_times(times);
        if (header.flags > 0) return;
        record_.chunk_styled(header.chunk_index);
        if (!holds_credit_until_encoded(header.chunk_index))
          scheduler_.styled(message.from, header.chunk_index);
        return;
      case MessageKind::segment:
        if (holds_credit_until_encoded(header.chunk_index))
          scheduler_.styled(message.from, header.chunk_index);
        take_encoded(unpack_encoded_chunk(message.payload));
        return;
      case MessageKind::returned:
        dealt_.at(header.chunk_index).returned.emplace(header.frame_index, std::move(message.payload));
        return;
      case MessageKind::chunk_failed:
        take_failure(message);
        return;
      case MessageKind::failure:
        throw Error(header.flags == static_cast<int>(ExitCode::usage) ? ExitCode::usage : ExitCode::failed,
                    unpack_text(message.payload));
      case MessageKind::goodbye:
        roster_.left(message.from, unpack_goodbye(message.payload));
        return;
      default:
        throw JobError(concat("message of kind ", header.kind, " at the root"), "internal protocol error");
    }
  }

  // A worker that encodes gets no more chunks than it can encode.
  bool holds_credit_until_encoded(std::int64_t chunk_index) const {
    const auto it = dealt_.find(chunk_index);
    return it != dealt_.end() && it->second.encoder_rank != 0 && !it->second.dealt_again;
  }

  void take_styled(Message message) {
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
    } else if (dealt.dealt_again) {
      outbox_.send(dealt.encoder_rank, MessageKind::restyled,
                   {.chunk_index = header.chunk_index, .frame_index = header.frame_index},
                   std::move(message.payload));
    }
  }

  void take_failure(const Message& message) {
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

  // What the root has encoded, and what is stored.
  bool collect() {
    bool any = false;
    while (std::optional<EncodedChunk> encoded = encode_.try_pop()) {
      any = true;
      take_encoded(std::move(*encoded));
    }
    while (const std::optional<Chunk> stored = mux_->try_pop_stored()) {
      any = true;
      scheduler_.finished(stored->index);
      checkpoints_->chunk_stored(stored->num_frames());
    }
    any |= drain_restored();
    mux_->check();
    return any;
  }

  bool drain_restored() {
    bool any = false;
    while (const std::optional<MuxStage::Restored> restored = mux_->try_pop_restored()) {
      any = true;
      record_.chunk_restored(restored->chunk, restored->encoded_bytes, restored->frames);
    }
    return any;
  }

  // What is encoded is stored and muxed.
  void take_encoded(EncodedChunk encoded) {
    const std::int64_t index = encoded.segment.chunk_index;
    const io::ChunkRow& row = record_.chunk_encoded(encoded);
    log::to_file(concat("chunk ", index, " encoded: ", row.end_frame - row.first_frame, " frames, ",
                        row.encoded_bytes, " bytes, ", fixed(encoded.segment.encode_s, 3), " s"));
    dealt_.erase(index);
    mux_->add({.fingerprint = fingerprint_hash_,
               .input_hash = decode_->take_hash(index),
               .segment = std::move(encoded.segment),
               .frames = record_.stored_frames(index),
               .reader_state = {}});
  }

  void stop_workers() {
    for (int rank = 1; rank < communicator_.size(); ++rank) outbox_.send(rank, MessageKind::stop);
    const Stopwatch watch;
    constexpr double patience_s = 30;
    while (roster_.num_left() < communicator_.size() - 1) {
      bool busy = outbox_.retire();
      busy |= receive();
      idle_.wait_unless(busy);
      if (watch.seconds_s() > patience_s)
        throw JobError("a worker does not answer", "all frames are styled, and it was asked to stop");
    }
  }

  void report_damage() {
    const media::Damage damage = decode_->damage();
    if (damage.num_errors == 0) return;
    const std::string text =
        concat("'", job_.config.input.string(), "' is damaged in ", damage.num_errors,
               damage.num_errors == 1 ? " place" : " places", " (first: ", damage.first_problem,
               "). Every frame that could be decoded is in the output");
    log::warning(text);
    record_.event(0, "damage", text);
    record_.set("damage.num_errors", std::to_string(damage.num_errors));
  }

  void warn(const std::string& text) {
    log::warning(text);
    record_.event(0, "warning", text);
  }

  Job& job_;
  CountingCommunicator communicator_;
  RecordBuilder& record_;
  RootConfig config_;
  Outbox outbox_;
  Idle idle_;
  WorkerRoster roster_;
  ChunkScheduler scheduler_;
  ProgressMeter meter_;
  std::map<std::int64_t, DealtChunk> dealt_;
  std::optional<FramePlanes> next_frame_;
  std::size_t max_sending_bytes_;
  std::int64_t max_waiting_;             // frames for the encoders, above which no new ones are sent
  std::optional<std::int64_t> filling_;  // the chunk that gets the frames being decoded
  std::optional<Error> ending_;          // interrupted: no new chunk is dealt
  Stopwatch since_ending_;
  double cpu_at_start_s_ = thread_cpu_seconds_s();
  EncodeStage encode_;
  std::optional<Checkpoints> checkpoints_;
  Hash128 fingerprint_hash_;
  std::optional<MuxStage> mux_;
  std::optional<DecodeStage> decode_;
};

Root::Root(Job& job, transport::Communicator& communicator, RecordBuilder& record, const RootConfig& config)
    : impl_(std::make_unique<Impl>(job, communicator, record, config)) {}
Root::~Root() = default;

void Root::run() {
  impl_->run();
}

}  // namespace atelier::pipeline
