#include "signals.h"

#include <unistd.h>

#include <array>
#include <csignal>

#include "atelier/base/error.h"

namespace atelier::cli {
namespace {

volatile std::sig_atomic_t first_interrupt = 0;
constexpr std::array interrupts = {SIGINT, SIGTERM, SIGUSR1};

void note(int signal) {
  if (first_interrupt != 0) _exit(static_cast<int>(ExitCode::interrupted));
  first_interrupt = signal;
}

void handle_all(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  for (const int signal : interrupts) sigaction(signal, &action, nullptr);
}

}  // namespace

void catch_interrupts() {
  handle_all(note);
}

int interrupted() {
  return first_interrupt;
}

void ignore_interrupts() {
  handle_all(SIG_IGN);
}

}  // namespace atelier::cli
