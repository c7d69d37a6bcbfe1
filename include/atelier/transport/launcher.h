#pragma once

#include <functional>
#include <string>

namespace atelier::transport {

/// What started this process, as its environment tells.
struct Launcher {
  std::string name = "none";  ///< "none", "mpirun" (Open MPI), "mpiexec" (PMI: MPICH, Intel MPI), "slurm"
                              ///< (srun), "pmix"; "none": MPI must not be initialised
  int expected_ranks = 1;     ///< how many ranks were asked for; 1 where nothing tells
};

/// The value of an environment variable; nullptr: not set.
using Environment = std::function<const char*(const char* name)>;

/// Looks at the variables that launchers set. SLURM_NTASKS alone (the body of a batch job) is no launcher,
/// but counts as expected ranks; a rank of mpirun inside such a job follows mpirun.
Launcher detect_launcher();
Launcher detect_launcher(const Environment& environment);

/// Throws UsageError, with the right launch line, for a world of one rank where more were asked for: each
/// process would be a root of its own.
void check_launch(const Launcher& launcher, int world_size);

}  // namespace atelier::transport
