#pragma once

namespace atelier::cli {

/// First of all: opens what the caller has closed of the three standard streams, so that no file takes its
/// number and gets log lines; turns SIGXFSZ, which ends a process, into the error EFBIG; and lets children be
/// waited for, also where the caller ignores CHLD.
void prepare_process();

/// From now on the first INT, TERM, USR1 or HUP is only noted; a second one, but for HUP, ends the process at
/// once with code 75. A HUP that was ignored before, as under nohup, stays ignored. A closed pipe does not
/// end the process.
void catch_interrupts();
/// That first signal, or 0.
int interrupted();
/// How often CONT has come since catch_interrupts.
int continued();

/// From now on INT, TERM, USR1 and HUP do nothing: launchers send them to all ranks, and the root decides.
/// A closed pipe does not end the process.
void ignore_interrupts();

/// Writing to a pipe that nobody reads gives an error from now on, as for log lines of a long job.
void survive_closed_pipes();

}  // namespace atelier::cli
