#pragma once

namespace atelier::cli {

/// From now on the first INT, TERM or USR1 is only noted; the second ends the process at once with code 75.
void catch_interrupts();
/// That first signal, or 0.
int interrupted();
/// How often CONT has come since catch_interrupts.
int continued();

/// From now on INT, TERM and USR1 do nothing: launchers send them to all ranks, and the root decides.
void ignore_interrupts();

}  // namespace atelier::cli
