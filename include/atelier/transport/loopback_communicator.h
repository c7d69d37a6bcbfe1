#pragma once

#include <memory>

#include "atelier/transport/communicator.h"

namespace atelier::transport {

/// The two ends of a pair in one process: root is rank 0, worker is rank 1, and size is 2.
struct LoopbackPair {
  std::unique_ptr<Communicator> root;
  std::unique_ptr<Communicator> worker;
};

/// A root and a worker that exchange messages without MPI, each end used by one thread.
///
/// Payloads are moved, not copied, so a Transfer is done at once. The queues are not bounded: credits bound
/// what is in them. Either end may die first; what was sent to a dead end is dropped with the pair.
LoopbackPair make_loopback();

}  // namespace atelier::transport
