#include "worker_roles.h"

#include <algorithm>
#include <set>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::pipeline {
namespace {

// The first GPU that is not taken, which is then.
std::optional<tensor::Device> take_gpu(const WorkerPlace& place, std::set<std::string>& taken) {
  for (std::size_t index = 0; index < place.gpus.size(); ++index)
    if (taken.insert(place.gpus[index]).second)
      return tensor::Device{tensor::DeviceKind::cuda, static_cast<int>(index)};
  return std::nullopt;
}

}  // namespace

std::map<int, WorkerRole> assign_roles(const std::map<int, WorkerPlace>& workers, const RoleRules& rules) {
  const auto first_gpu =
      std::ranges::find_if(workers, [](const auto& entry) { return !entry.second.gpus.empty(); });
  const bool on_gpus = rules.device != "cpu" && first_gpu != workers.end();
  if (!on_gpus && rules.device == "cuda" && !workers.empty())
    throw UsageError(concat("no GPU on ", workers.begin()->second.host), "--device cuda was given",
                     "Give --device auto or cpu, or see what 'nvidia-smi' says there");
  std::map<std::string, int> num_on;
  std::map<std::string, std::set<std::string>> taken_on;
  std::map<int, WorkerRole> roles;
  for (const auto& [rank, place] : workers) {
    ++num_on[place.host];
    std::optional<tensor::Device> device = tensor::Device{tensor::DeviceKind::cpu, 0};
    if (on_gpus) device = take_gpu(place, taken_on[place.host]);
    if (!device && !rules.encode_at_workers)
      throw UsageError(
          concat("rank ", rank, " on ", place.host, " has no GPU of its own"),
          place.gpus.empty() ? concat("none is visible there, but rank ", first_gpu->first, " on ",
                                      first_gpu->second.host, " has one")
                             : "other ranks have all that it sees",
          "Start one rank for each GPU and one for the root, or let it help with --encode workers");
    roles[rank] = {device, 1};
  }
  for (auto& [rank, role] : roles) role.num_workers_here = num_on.at(workers.at(rank).host);
  return roles;
}

}  // namespace atelier::pipeline
