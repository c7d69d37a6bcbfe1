#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace atelier::launch {

/// Where the ranks of a job go: workers on each machine, and the root beside those of the first.
struct Placement {
  int num_machines = 1;
  int workers_per_machine = 1;

  [[nodiscard]] int num_ranks() const { return num_machines * workers_per_machine + 1; }
};

/// A command and what its environment needs.
struct RanksCommand {
  std::vector<std::string> command = {};
  std::vector<std::pair<std::string, std::string>> environment = {};
};

/// Names of machines, a line each, as Open MPI's host files: the first word counts, `#` begins a comment.
/// Throws UsageError for a file that cannot be read, has no name, or names a machine twice.
std::vector<std::string> read_hosts(const std::filesystem::path& path);

/// Throws UsageError that names the first machine that cannot be found by its name.
void check_hosts(const std::vector<std::string>& hosts);

/// `mpirun` on the first machines of hosts; none: all ranks on this one, however few cores it has. mpirun:
/// the launcher's words. program and its arguments follow. Throws UsageError for too few hosts.
RanksCommand mpirun_command(const Placement& placement, const std::vector<std::string>& hosts,
                            const std::vector<std::string>& mpirun, const std::vector<std::string>& program);

/// `sbatch --wait` of slurm/atelier.sbatch. options: more words for sbatch, in which {machines} and {gpus}
/// stand for the numbers of the placement; run_arguments: what follows `atelier run`.
RanksCommand sbatch_command(const Placement& placement, const std::filesystem::path& script,
                            const std::filesystem::path& program, const std::vector<std::string>& options,
                            const std::filesystem::path& job_log,
                            const std::vector<std::string>& run_arguments);

}  // namespace atelier::launch
