#include "signals.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <string_view>

#include "atelier/base/error.h"
#include "atelier/base/log.h"

namespace atelier::cli {
namespace {

volatile std::sig_atomic_t first_interrupt = 0;
volatile std::sig_atomic_t num_continued = 0;
constexpr std::array interrupts = {SIGINT, SIGTERM, SIGUSR1};

void leave_at_once() {
  constexpr std::string_view line =
      "atelier: error: interrupted (a second signal came). Run the same command again\n";
  if (!log::error_said()) [[maybe_unused]]
    const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  _exit(static_cast<int>(ExitCode::interrupted));
}

void note(int signal) {
  if (first_interrupt != 0) leave_at_once();
  first_interrupt = signal;
}

void count_continued(int) {
  num_continued = num_continued + 1;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

void handle_all(void (*handler)(int)) {
  for (const int signal : interrupts) handle(signal, handler);
}

}  // namespace

void catch_interrupts() {
  handle_all(note);
  handle(SIGCONT, count_continued);
}

int interrupted() {
  return first_interrupt;
}

int continued() {
  return num_continued;
}

void ignore_interrupts() {
  handle_all(SIG_IGN);
}

}  // namespace atelier::cli
