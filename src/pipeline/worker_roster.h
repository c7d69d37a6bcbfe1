#pragma once

#include <map>
#include <string>

#include "atelier/pipeline/protocol.h"
#include "atelier/transport/communicator.h"
#include "counting_communicator.h"
#include "job_processors.h"
#include "worker_roles.h"

namespace atelier::pipeline {

struct Job;
class RecordBuilder;

/// Who the workers of a job are, and whether they fit one another.
class WorkerRoster {
 public:
  /// decoder: media::DecoderSetup, packed, where workers decode; else empty.
  WorkerRoster(const Job& job, transport::Communicator& communicator, RecordBuilder& record, bool alone,
               Buffer decoder);

  /// The setups that are to be sent after this hello, by rank. What a worker does may depend on what all
  /// others have: then there are none before the last hello. Throws UsageError for a worker of another build,
  /// and what assign_roles throws.
  std::map<int, Buffer> greet(int rank, const WorkerHello& hello);
  /// Throws UsageError for a rank that makes other bits than one before it, unless --allow-mixed.
  void ready(int rank, const WorkerReady& ready);
  [[nodiscard]] const std::string& host(int rank) const { return hellos_.at(rank).host; }
  void left(int rank, const WorkerGoodbye& goodbye);
  /// A worker has sent styled frames to the rank that encodes them.
  void note_helped(int worker, int encoder_rank, std::int64_t bytes);
  /// Into the root's row: what it has sent and received, and the CPU time of the thread that did.
  void note_traffic(const CountingCommunicator& counted, double message_cpu_s);

  /// Workers that style.
  [[nodiscard]] int num_ready() const { return num_ready_; }
  /// Of all ranks that are ready.
  [[nodiscard]] io::ProcessorKind processors() const { return processors_.kind(); }
  [[nodiscard]] int num_left() const { return num_left_; }
  /// The rank as people know it: the worker inside the root's process is rank 0.
  [[nodiscard]] int record_rank(int rank) const { return alone_ ? 0 : rank; }

 private:
  [[nodiscard]] Buffer setup(int rank, const WorkerRole& role) const;
  [[nodiscard]] std::string simulated_processor(int rank) const;
  [[nodiscard]] RankProcessor root_encoder() const;

  const Job& job_;
  transport::Communicator& communicator_;
  RecordBuilder& record_;
  bool alone_;
  Buffer decoder_;
  std::map<int, WorkerHello> hellos_;
  JobProcessors processors_;
  int num_ready_ = 0;
  int num_left_ = 0;
  std::int64_t helped_between_machines_bytes_ = 0;
};

}  // namespace atelier::pipeline
