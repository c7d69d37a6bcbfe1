#pragma once

#include <functional>
#include <memory>

#include "atelier/models/style_engine.h"
#include "atelier/tensor/device.h"
#include "atelier/transport/communicator.h"

namespace atelier::pipeline {

using EngineFactory =
    std::function<std::unique_ptr<models::StyleEngine>(const models::EngineSpec&, tensor::Device)>;

struct WorkerConfig {
  EngineFactory make_engine = models::make_engine;
  bool own_process = true;  ///< false: a thread beside the root, which keeps the process's log
};

/// A worker's whole life: says hello, gets its setup, styles the frames it is dealt, and says goodbye when
/// the root says stop. What fails is told to the root, which ends the job. Never returns early.
void run_worker(transport::Communicator& communicator, const WorkerConfig& config = {});

}  // namespace atelier::pipeline
