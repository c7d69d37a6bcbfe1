#include "atelier/transport/launcher.h"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::transport {
namespace {

std::optional<std::int64_t> number(const Environment& environment, const char* name) {
  const char* text = environment(name);
  if (text == nullptr) return std::nullopt;
  std::int64_t value = 0;
  const char* end = text + std::strlen(text);
  const auto [stopped, error] = std::from_chars(text, end, value);
  if (error != std::errc() || stopped != end || value < 0) return std::nullopt;
  return value;
}

int as_ranks(std::optional<std::int64_t> value) {
  return value && *value >= 1 && *value <= INT32_MAX ? static_cast<int>(*value) : 1;
}

/// Whether srun started this process: Slurm numbers real steps from 0 and keeps the highest numbers for the
/// batch body and interactive shells.
bool in_slurm_step(const Environment& environment) {
  constexpr std::int64_t first_reserved_step = 0xFFFFFFF0;
  std::optional<std::int64_t> step = number(environment, "SLURM_STEP_ID");
  if (!step) step = number(environment, "SLURM_STEPID");
  return step && *step < first_reserved_step && environment("SLURM_PROCID") != nullptr;
}

}  // namespace

Launcher detect_launcher() {
  return detect_launcher([](const char* name) { return std::getenv(name); });
}

Launcher detect_launcher(const Environment& environment) {
  // The innermost launcher first: mpirun inside a Slurm job leaves Slurm's variables in place.
  if (const auto size = number(environment, "OMPI_COMM_WORLD_SIZE")) return {"mpirun", as_ranks(size)};
  if (const auto size = number(environment, "PMI_SIZE")) return {"mpiexec", as_ranks(size)};
  if (in_slurm_step(environment)) {
    std::optional<std::int64_t> tasks = number(environment, "SLURM_STEP_NUM_TASKS");
    if (!tasks) tasks = number(environment, "SLURM_NTASKS");
    return {"slurm", as_ranks(tasks)};
  }
  if (environment("PMIX_RANK") != nullptr) return {"pmix", 1};
  return {"none", as_ranks(number(environment, "SLURM_NTASKS"))};
}

void check_launch(const Launcher& launcher, int world_size) {
  if (world_size != 1 || launcher.expected_ranks <= 1) return;
  const int ranks = launcher.expected_ranks;
  const std::string problem = concat("one rank where ", ranks, " were asked for");
#if !ATELIER_MPI
  throw UsageError(problem, "this build has no MPI", "Start one process, or build with -DATELIER_MPI=ON");
#else
  if (launcher.name == "slurm") {
    throw UsageError(problem, concat("srun started ", ranks, " processes that do not know of each other"),
                     "Start it with 'srun --mpi=pmix atelier run …', or with 'mpirun atelier run …' in the "
                     "body of an sbatch job");
  }
  if (launcher.name == "none") {
    throw UsageError(
        problem, concat("SLURM_NTASKS is ", ranks, ", but nothing started the ranks"),
        "Start it with 'mpirun --bind-to none atelier run …' or 'srun --mpi=pmix atelier run …'; "
        "for one rank, unset SLURM_NTASKS");
  }
  throw UsageError(
      problem, concat(launcher.name, " belongs to another MPI than this program"),
      concat("Start it with the mpirun of Open MPI that it was built with: 'mpirun --bind-to none "
             "-n ",
             ranks, " atelier run …'"));
#endif
}

}  // namespace atelier::transport
