#pragma once

#include <functional>
#include <string>

#include "atelier/base/error.h"
#include "atelier/transport/communicator.h"

namespace atelier::pipeline {

/// What rank 0 does; communicator: null when it is alone; launcher: for the record. For `usage` and `done` it
/// has let the workers go when it returns; for any other code all ranks are ended at once.
using RootFunction =
    std::function<ExitCode(transport::Communicator* communicator, const std::string& launcher)>;

/// What every other rank does; ends when rank 0 lets it go.
using WorkerFunction = std::function<void(transport::Communicator&)>;

/// Pins the CPU's code paths (atelier/tensor/cpu_code_paths.h), so that it is called first in main(), and
/// joins the ranks that a launcher started, if there is one (else MPI is not touched): rank 0 runs root,
/// every other rank runs worker. Returns the exit code of this process. Throws UsageError for a broken
/// launch, where each process would be a root.
int run_ranks(const RootFunction& root, const WorkerFunction& worker);

}  // namespace atelier::pipeline
