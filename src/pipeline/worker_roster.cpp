#include "worker_roster.h"

#include <string>
#include <utility>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/hash.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "atelier/media/encoder_processor.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/schedule/policy.h"
#include "job.h"
#include "record_builder.h"

namespace atelier::pipeline {

WorkerRoster::WorkerRoster(const Job& job, transport::Communicator& communicator, RecordBuilder& record,
                           bool alone, Buffer decoder)
    : job_(job),
      communicator_(communicator),
      record_(record),
      alone_(alone),
      decoder_(std::move(decoder)),
      processors_(job.config.allow_mixed,
                  job.engine.style.empty() ? "" : hex64(hash64(job.engine.style.bytes()))) {
  if (!job.encode_at_workers) processors_.add(0, root_encoder());
  if (!alone_) record_.rank_ready(0, "root", {host_name(), build_text(), {}, {}}, {"", "", 0});
}

RankProcessor WorkerRoster::root_encoder() const {
  const std::string simulated = simulated_processor(0);
  const std::string encoder = media::encoder_processor(job_.encoder);
  if (!simulated.empty() && !encoder.empty()) return {simulated, {}, simulated};
  return {tensor::device_name({}), {}, encoder};
}

// As --simulated-processor says; empty: the real one.
std::string WorkerRoster::simulated_processor(int rank) const {
  for (const auto& [simulated_rank, name] : job_.config.simulated_processors)
    if (simulated_rank == rank) return name;
  return {};
}

std::map<int, Buffer> WorkerRoster::greet(int rank, const WorkerHello& hello) {
  if (hello.build != build_text())
    throw UsageError(concat("rank ", rank, " on ", hello.host, " runs another program"),
                     concat("it is ", hello.build, ", the root is ", build_text()),
                     "Install the same build on all machines");
  hellos_[rank] = hello;
  if (static_cast<int>(hellos_.size()) < communicator_.size() - 1) return {};
  const bool simulated = job_.engine.kind == "simulated";
  const std::string device = simulated ? "auto" : job_.config.device;
  std::map<int, WorkerPlace> places;
  std::vector<std::string> simulated_gpus;
  for (int gpu = 0; gpu < job_.config.simulated_gpus; ++gpu) simulated_gpus.push_back(std::to_string(gpu));
  for (const auto& [worker, said] : hellos_)
    places[worker] = {said.host, simulated ? simulated_gpus : said.gpus};
  const auto roles = assign_roles(places, {.device = device, .encode_at_workers = job_.encode_at_workers});
  std::map<int, Buffer> setups;
  for (const auto& [worker, role] : roles) setups[worker] = setup(worker, role);
  return setups;
}

Buffer WorkerRoster::setup(int rank, const WorkerRole& role) const {
  WorkerSetup setup;
  setup.format = job_.input().format;
  setup.num_workers_here = role.num_workers_here;
  setup.credits = schedule::credits_per_worker;
  setup.device = role.device;
  if (role.device) {  // a helper needs neither weights nor packets
    setup.engine = job_.engine.clone();
    setup.decoder = decoder_.clone();
    if (setup.engine.kind == "simulated") setup.device = tensor::Device{};
    for (const auto& [slow_rank, factor] : job_.config.simulated_slow)
      if (slow_rank == rank) setup.engine.simulated_ms *= factor;
  }
  if (job_.encode_at_workers) setup.encoder = pack(job_.encoder);
  setup.simulated_processor = simulated_processor(record_rank(rank));
  setup.log_dir = job_.config.log_dir.string();
  setup.log_name = job_.log_name;
  return pack(setup);
}

void WorkerRoster::ready(int rank, const WorkerReady& ready) {
  processors_.add(record_rank(rank),
                  {.name = ready.device,
                   .frames = ready.num_threads == 0 ? std::nullopt : std::optional(ready.capability),
                   .encoder = ready.encoder_processor});
  if (ready.num_threads == 0) {
    log::info(concat("rank ", rank, " on ", host(rank), " has no GPU of its own: it helps to encode"));
    record_.rank_ready(rank, "encoder", hellos_.at(rank), ready);
    return;
  }
  if (num_ready_++ == 0) record_.set("worker_kind", ready.capability == ready.device ? "gpu" : "cpu");
  record_.rank_ready(record_rank(rank), alone_ ? "root+worker" : "worker", hellos_.at(rank), ready);
}

void WorkerRoster::left(int rank, const WorkerGoodbye& goodbye) {
  ++num_left_;
  record_.rank_left(record_rank(rank), goodbye);
}

void WorkerRoster::note_helped(int worker, int encoder_rank, std::int64_t bytes) {
  if (host(worker) != host(encoder_rank)) helped_between_machines_bytes_ += bytes;
}

void WorkerRoster::note_traffic(const CountingCommunicator& counted, double message_cpu_s) {
  std::int64_t between_machines_bytes = helped_between_machines_bytes_;
  for (const auto& [rank, hello] : hellos_) {
    if (hello.host == host_name()) continue;
    const Traffic& traffic = counted.with(rank);
    between_machines_bytes += traffic.sent_bytes + traffic.received_bytes;
  }
  record_.root_worked(counted.total(), between_machines_bytes, message_cpu_s);
}

}  // namespace atelier::pipeline
