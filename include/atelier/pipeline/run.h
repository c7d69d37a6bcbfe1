#pragma once

#include <functional>
#include <string>

#include "atelier/base/error.h"
#include "atelier/pipeline/progress.h"
#include "atelier/pipeline/run_config.h"
#include "atelier/pipeline/worker.h"
#include "atelier/transport/communicator.h"

namespace atelier::pipeline {

/// What a job gets from the program around it.
struct RunServices {
  transport::Communicator* communicator = nullptr;  ///< null: alone, with a worker inside this process
  ProgressSink* progress = nullptr;                 ///< null: none
  std::function<int()> interrupted = {};            ///< the signal that asked for the end, or 0; may be empty
  std::function<int()> continued = {};              ///< how often CONT has come; may be empty
  EngineFactory make_engine = models::make_engine;  ///< of the worker inside this process
  std::string launcher = "none";                    ///< for the record
};

/// Styles one video, from rank 0: prepare_job → Root::run → record. The other ranks run run_worker.
///
/// Returns `done`, or writes the one line that says what went wrong and returns its code: then the workers
/// have left already for bad usage or bad input (`usage`); for anything else the caller must end all ranks at
/// once.
ExitCode run_job(const RunConfig& config, const RunServices& services);

/// Lets the workers of a launch go without a job, for what ends before run_job: bad options, --help.
void dismiss_workers(transport::Communicator& communicator);

}  // namespace atelier::pipeline
