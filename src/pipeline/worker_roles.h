#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "atelier/tensor/device.h"

namespace atelier::pipeline {

/// Where a worker is.
struct WorkerPlace {
  std::string host;
  std::vector<std::string> gpus;  ///< ids of those that it sees, by index
};

struct WorkerRole {
  std::optional<tensor::Device> device;  ///< that it styles on; none: it helps to encode
  int num_workers_here = 1;              ///< on its machine, with itself
};

struct RoleRules {
  std::string device = "auto";     ///< auto, cpu, cuda
  bool encode_at_workers = false;  ///< else there is nothing to help with
};

/// What each worker, by rank, does. If any sees a GPU, it is a job on GPUs: each worker, the lowest rank
/// first, gets the first GPU that it sees and that none before it on its machine has; who is left without one
/// helps to encode. Otherwise all style on their CPUs. Throws UsageError where "cuda" finds no GPU, and where
/// a worker would have nothing to do.
std::map<int, WorkerRole> assign_roles(const std::map<int, WorkerPlace>& workers, const RoleRules& rules);

}  // namespace atelier::pipeline
