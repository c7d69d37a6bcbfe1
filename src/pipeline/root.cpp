#include "atelier/pipeline/root.h"

#include <csignal>
#include <optional>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/exception_text.h"
#include "atelier/base/hash.h"
#include "atelier/base/log.h"
#include "atelier/base/storage_retry.h"
#include "atelier/base/text.h"
#include "atelier/pipeline/protocol.h"
#include "counting_communicator.h"
#include "dealing.h"
#include "job.h"
#include "outbox.h"
#include "progress_meter.h"
#include "record_builder.h"
#include "storing.h"
#include "worker_guard.h"
#include "worker_roster.h"

namespace atelier::pipeline {
namespace {

using transport::Message;

std::string name_of_signal(int signal) {
  switch (signal) {
    case SIGTERM:
      return "TERM";
    case SIGINT:
      return "INT";
    case SIGUSR1:
      return "USR1";
    case SIGHUP:
      return "HUP";
    default:
      return std::to_string(signal);
  }
}

Error interrupted_by(int signal) {
  return Error(ExitCode::interrupted, "interrupted", concat("signal ", name_of_signal(signal), " came"),
               "Run the same command again");
}

// What workers decode from, where they do.
struct WorkerDecoding {
  explicit WorkerDecoding(const Job& job) {
    if (!job.decoding.at_workers) return;
    packets.emplace(packet_reader_config(job));
    setup = pack(packets->decoder_setup(job.input()));
  }
  std::optional<media::PacketReader> packets;
  Buffer setup;
};

}  // namespace

struct Root::Impl {
  Impl(Job& job, transport::Communicator& communicator, RecordBuilder& record, const RootConfig& config)
      : Impl(job, communicator, record, config, WorkerDecoding(job)) {}

  Impl(Job& job, transport::Communicator& communicator, RecordBuilder& record, const RootConfig& config,
       WorkerDecoding decoding)
      : job_(job),
        communicator_(communicator),
        record_(record),
        config_(config),
        outbox_(communicator_),
        guard_(outbox_, {.alone = config.alone,
                         .num_ranks = communicator.size(),
                         .timeout_s = job.config.rank_timeout_s,
                         .continued = config.continued}),
        roster_(job, communicator_, record, config.alone, decoding.setup.clone()),
        meter_(config.progress, job.input().num_frames),
        dealing_({job, outbox_, record, roster_, meter_}, communicator.size() - 1,
                 std::move(decoding.packets), hash64(decoding.setup.bytes())) {}

  bool run() {
    bool finished_before = false;
    while (roster_.num_ready() == 0) {
      step();
      check_interrupted();
    }
    try {
      // The kind of processor is known: looks for what earlier starts have finished.
      guard_.be_patient();
      storing_.emplace(job_, record_,
                       StoringConfig{.launcher = config_.launcher,
                                     .processors = [this] { return roster_.processors(); },
                                     .give_up_waiting =
                                         [this] {
                                           receive();
                                           guard_.tick();
                                           check_interrupted();
                                         },
                                     .before_writing = [this] { guard_.be_patient(); }});
      finished_before = storing_->checkpoints().output_is_finished();
      if (!finished_before) {
        dealing_.open(*storing_);
        style();
        publish();
        for (const std::string& warning : storing_->mux().warnings()) warn(warning);
      }
      stop_workers();
      roster_.note_traffic(communicator_, thread_cpu_seconds_s() - cpu_at_start_s_);
      if (!finished_before) storing_->checkpoints().ended(io::JobStatus::done, ExitCode::done, "");
      storing_->checkpoints().remove();
    } catch (const Error& e) {
      leave(e.code(), e.what());
      throw;
    } catch (const std::exception& e) {
      leave(ExitCode::failed, exception_text(e));
      throw;
    }
    meter_.finish(true);
    return !finished_before;
  }

  void style() {
    while (!dealing_.finished()) {
      step();
      if (!ending_ && (ending_ = interruption())) {
        // Before anything else: mpirun may leave no time later, and who reads the line may send a second
        // signal.
        storing_->checkpoints().ended(io::JobStatus::interrupted, ending_->code(), ending_->what());
        say_what_is_under_way();
      }
      if (ending_ && (dealing_.drained() || since_ending_.seconds_s() > job_.config.grace_s)) throw *ending_;
    }
    if (meter_.num_frames_done() == 0)
      throw UsageError(concat("no frame to style in '", job_.config.input.string(), "'"),
                       "--start and --duration leave none", "Choose an earlier --start");
    report_damage();
    dealing_.record_decoding();
  }

  // The rest of the file is written and gets its name; no first signal stops that. A launcher may, soon
  // after.
  void publish() {
    storing_->mux().finish();
    while (!storing_->mux().finished()) {
      if (!ending_ && (ending_ = signalled())) {
        storing_->checkpoints().ended(io::JobStatus::interrupted, ending_->code(), ending_->what());
        log::info(
            "interrupted; all is styled, and the output is written to its end (a second signal ends that)");
      }
      storing_->checkpoints().tick();
      meter_.tick();
      outbox_.retire();
      idle_.wait_unless(receive());
      guard_.tick();
    }
    storing_->drain_restored();
  }

  // Why the job is to end before its end, if it is.
  std::optional<Error> interruption() {
    std::optional<Error> why = signalled();
    if (!why && job_.config.max_time_s > 0 && record_.now_s() > job_.config.max_time_s)
      why = Error(ExitCode::interrupted, "interrupted", "--max-time is over", "Run the same command again");
    if (why) since_ending_.restart_s();
    return why;
  }

  std::optional<Error> signalled() {
    const int signal = config_.interrupted ? config_.interrupted() : 0;
    if (signal == 0 || (signal == SIGTERM && !guard_.all_live_after_signal())) return std::nullopt;
    return interrupted_by(signal);
  }

  void say_what_is_under_way() const {
    const std::int64_t under_way = dealing_.num_under_way();
    if (under_way == 0 || job_.config.grace_s <= 0) return;
    log::info(concat("interrupted; finishes what is under way (", under_way,
                     under_way == 1 ? " chunk" : " chunks", ") for up to ", fixed(job_.config.grace_s, 0),
                     " s"));
  }

  void check_interrupted() {
    if (const std::optional<Error> why = interruption()) throw *why;
  }

  // The threads may take seconds to end, and the launcher may not leave that time: all is said before.
  void leave(ExitCode code, const std::string& text) {
    if (config_.on_failure) config_.on_failure(text);
    give_up_reading(true);
    roster_.note_traffic(communicator_, thread_cpu_seconds_s() - cpu_at_start_s_);
    if (!storing_) return;
    Checkpoints& checkpoints = storing_->checkpoints();
    if (code == ExitCode::usage && !checkpoints.has_chunks())
      checkpoints.remove();
    else
      checkpoints.ended(code == ExitCode::interrupted ? io::JobStatus::interrupted : io::JobStatus::failed,
                        code, text);
  }

  // One round of everything that may have moved.
  void step() {
    bool busy = outbox_.retire();
    busy |= receive();
    if (storing_) {
      busy |= dealing_.feed(!ending_);
      busy |= dealing_.collect();
      storing_->checkpoints().tick();
    }
    meter_.tick();
    guard_.tick();
    idle_.wait_unless(busy, communicator_.receiving());
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
    const transport::MessageHeader& header = message.header;
    guard_.heard(message);
    if (dealing_.handle(message)) return;
    switch (static_cast<MessageKind>(header.kind)) {
      case MessageKind::hello: {
        const WorkerHello hello = unpack_hello(message.payload);
        guard_.greeted(message.from, hello);
        for (auto& [rank, setup] : roster_.greet(message.from, hello))
          outbox_.send(rank, MessageKind::setup, {}, std::move(setup));
        return;
      }
      case MessageKind::pong:
        return;
      case MessageKind::ready:
        greet_ready(message.from, header.flags, unpack_ready(message.payload));
        return;
      case MessageKind::failure:
        throw Error(header.flags == static_cast<int>(ExitCode::usage) ? ExitCode::usage : ExitCode::failed,
                    unpack_text(message.payload));
      case MessageKind::goodbye:
        guard_.left(message.from);
        roster_.left(message.from, unpack_goodbye(message.payload));
        return;
      default:
        throw JobError(concat("message of kind ", header.kind, " at the root"), "internal protocol error");
    }
  }

  void greet_ready(int rank, int credits, const WorkerReady& ready) {
    roster_.ready(rank, ready);
    meter_.set_num_workers(roster_.num_ready());
    dealing_.add_worker(
        rank, credits,
        {.host = roster_.host(rank), .num_encoders = ready.num_encoders, .helper = ready.num_threads == 0});
  }

  void stop_workers() {
    for (int rank = 1; rank < communicator_.size(); ++rank) outbox_.send(rank, MessageKind::stop);
    const Stopwatch watch;
    constexpr double patience_s = 30;
    while (roster_.num_left() < communicator_.size() - 1) {
      bool busy = outbox_.retire();
      busy |= receive();
      guard_.tick();
      idle_.wait_unless(busy);
      if (watch.seconds_s() > patience_s)
        throw JobError("a worker does not answer", "all frames are styled, and it was asked to stop");
    }
  }

  void report_damage() {
    const media::Damage damage = dealing_.damage();
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
  WorkerGuard guard_;
  WorkerRoster roster_;
  ProgressMeter meter_;
  std::optional<Error> ending_;  // interrupted: no new chunk is dealt
  Stopwatch since_ending_;
  double cpu_at_start_s_ = thread_cpu_seconds_s();
  std::optional<Storing> storing_;
  Dealing dealing_;  // ends before what it uses
};

Root::Root(Job& job, transport::Communicator& communicator, RecordBuilder& record, const RootConfig& config)
    : impl_(std::make_unique<Impl>(job, communicator, record, config)) {}
Root::~Root() = default;

bool Root::run() {
  return impl_->run();
}

}  // namespace atelier::pipeline
