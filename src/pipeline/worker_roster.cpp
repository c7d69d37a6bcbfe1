#include "worker_roster.h"

#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/schedule/policy.h"
#include "job.h"
#include "record_builder.h"

namespace atelier::pipeline {

WorkerRoster::WorkerRoster(const Job& job, transport::Communicator& communicator, RecordBuilder& record,
                           bool alone, Buffer decoder)
    : job_(job), communicator_(communicator), record_(record), alone_(alone), decoder_(std::move(decoder)) {
  if (!alone_) record_.rank_ready(0, "root", {host_name(), build_text(), {}}, {"", "", 0});
}

Buffer WorkerRoster::greet(int rank, const WorkerHello& hello) {
  if (hello.build != build_text())
    throw UsageError(concat("rank ", rank, " on ", hello.host, " runs another program"),
                     concat("it is ", hello.build, ", the root is ", build_text()),
                     "Install the same build on all machines");
  hellos_[rank] = hello;
  WorkerSetup setup;
  setup.format = job_.input().format;
  setup.engine = job_.engine.clone();
  setup.device = job_.engine.kind == "simulated" ? "cpu" : job_.config.device;
  setup.credits = schedule::credits_per_worker;
  for (const auto& [slow_rank, factor] : job_.config.simulated_slow)
    if (slow_rank == rank) setup.engine.simulated_ms *= factor;
  if (job_.encode_at_workers) setup.encoder = pack(job_.encoder);
  setup.decoder = decoder_.clone();
  setup.root_host = host_name();
  setup.log_dir = job_.config.log_dir.string();
  setup.log_name = job_.log_name;
  return pack(setup);
}

void WorkerRoster::ready(int rank, const WorkerReady& ready) {
  if (num_ready_++ == 0) {
    first_ = ready;
    first_rank_ = rank;
    record_.set("worker_kind", ready.capability == ready.device ? "gpu" : "cpu");
  } else if (ready.capability != first_.capability && !job_.config.allow_mixed) {
    throw UsageError(concat("workers run on different hardware (rank ", first_rank_, ": ", first_.capability,
                            ", rank ", rank, ": ", ready.capability, ")"),
                     "the frames would depend on who styles them",
                     "Use machines of one kind, or give --allow-mixed");
  }
  record_.rank_ready(record_rank(rank), alone_ ? "root+worker" : "worker", hellos_.at(rank), ready);
}

void WorkerRoster::left(int rank, const WorkerGoodbye& goodbye) {
  ++num_left_;
  record_.rank_left(record_rank(rank), goodbye);
}

void WorkerRoster::note_traffic(const CountingCommunicator& counted, double message_cpu_s) {
  std::int64_t between_machines_bytes = 0;
  for (const auto& [rank, hello] : hellos_) {
    if (hello.host == host_name()) continue;
    const Traffic& traffic = counted.with(rank);
    between_machines_bytes += traffic.sent_bytes + traffic.received_bytes;
  }
  record_.root_worked(counted.total(), between_machines_bytes, message_cpu_s);
}

}  // namespace atelier::pipeline
