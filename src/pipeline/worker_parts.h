#pragma once

#include <optional>

#include "atelier/base/stopwatch.h"
#include "atelier/pipeline/protocol.h"
#include "atelier/pipeline/worker.h"
#include "compute_pool.h"
#include "decode_pool.h"
#include "worker_encoders.h"

namespace atelier::pipeline {

/// The threads of a worker, each kind where it does that work.
struct WorkerParts {
  std::optional<ComputePool> compute;
  std::optional<DecodePool> decoders;
  std::optional<WorkerEncoders> encoders;
};

/// Makes what the setup asks for, with this machine's cores shared among its workers. Returns what the root
/// is told; its clock is clock's. credits: how many chunks the worker may hold, 0 if it styles none. Throws
/// what making the engines throws.
WorkerReady make_worker_parts(const WorkerSetup& setup, const EngineFactory& make_engine, Stopwatch clock,
                              WorkerParts& parts, int& credits);

}  // namespace atelier::pipeline
