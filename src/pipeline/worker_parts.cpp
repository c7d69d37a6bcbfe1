#include "worker_parts.h"

#include <algorithm>

#include "atelier/base/text.h"
#include "atelier/io/fingerprint.h"
#include "atelier/media/encoder_processor.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/schedule/policy.h"

namespace atelier::pipeline {
namespace {

constexpr int threads_per_gpu = 3;  // one computes, one's frame comes, one's frame goes

// Returns the credits that decoding here needs.
int make_stylers(const WorkerSetup& setup, const EngineFactory& make_engine, int num_cores, Stopwatch clock,
                 WorkerParts& parts, WorkerReady& ready) {
  const bool on_gpu = setup.device->kind == tensor::DeviceKind::cuda;
  ready.num_threads = std::min(on_gpu ? threads_per_gpu : num_cores, models::max_callers(setup.engine));
  parts.compute.emplace(setup, *setup.device, ready.num_threads, make_engine, clock);
  ready.device = tensor::device_name(*setup.device);
  ready.capability = on_gpu ? ready.device : parts.compute->trial_bits();
  if (setup.decoder.empty()) return 0;
  const int num_decoders = schedule::num_decoders(num_cores);
  parts.decoders.emplace(setup.decoder.clone(), num_decoders);
  return schedule::credits_with_decoders(num_decoders);
}

// As if all that depends on a processor came out in a way of its own there.
void simulate(const std::string& name, WorkerReady& ready) {
  const std::string processor = io::valid_utf8(name);
  ready.device = processor;
  if (!ready.capability.empty()) ready.capability = concat("of ", processor);
  if (!ready.encoder_processor.empty()) ready.encoder_processor = processor;
}

}  // namespace

WorkerReady make_worker_parts(const WorkerSetup& setup, const EngineFactory& make_engine, Stopwatch clock,
                              WorkerParts& parts, int& credits) {
  const int num_cores = std::max(1, tensor::num_usable_cores() / std::max(1, setup.num_workers_here));
  WorkerReady ready;
  credits = 0;
  if (!setup.encoder.empty()) {
    ready.num_encoders = schedule::num_encoders(num_cores);
    parts.encoders.emplace(unpack_encoder(setup.encoder.bytes()), ready.num_encoders, clock);
    credits = schedule::credits_with_encoders(ready.num_encoders);
    ready.encoder_processor = media::encoder_processor(unpack_encoder(setup.encoder.bytes()));
  }
  if (setup.device) {
    const int for_decoding = make_stylers(setup, make_engine, num_cores, clock, parts, ready);
    credits = std::max({credits, setup.credits, for_decoding});
  } else {
    ready.device = tensor::device_name({tensor::DeviceKind::cpu, 0});
    ready.num_threads = 0;
    credits = 0;
  }
  if (!setup.simulated_processor.empty()) simulate(setup.simulated_processor, ready);
  ready.clock_s = clock.seconds_s();
  return ready;
}

}  // namespace atelier::pipeline
