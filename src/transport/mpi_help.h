#pragma once

namespace atelier::transport {

/// Keeps Open MPI's explanations ("An MPI communication peer process has unexpectedly disconnected …") in
/// this process's log file. Open MPI 4 would hand them to mpirun and wait for it; while mpirun ends a job it
/// does not answer, so that a root whose worker has died would never say so. Nothing happens with an MPI
/// library that works in another way. Call it after MPI_Init.
void keep_open_mpi_help_here();

}  // namespace atelier::transport
