#include "signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string_view>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/log.h"

namespace atelier::cli {
namespace {

volatile std::sig_atomic_t first_interrupt = 0;
volatile std::sig_atomic_t num_continued = 0;
constexpr std::array interrupts = {SIGINT, SIGTERM, SIGUSR1, SIGHUP};

void leave_at_once() {
  constexpr std::string_view line =
      "atelier: error: interrupted (a second signal came). Run the same command again\n";
  if (!log::error_said()) [[maybe_unused]]
    const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  _exit(static_cast<int>(ExitCode::interrupted));
}

void note(int signal) {
  // A terminal that goes away sends HUP twice: the shell does, and the kernel.
  if (first_interrupt != 0 && signal == SIGHUP) return;
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

bool is_ignored(int signal) {
  struct sigaction action = {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void handle_all(void (*handler)(int)) {
  for (const int signal : interrupts)
    if (signal != SIGHUP || !is_ignored(signal)) handle(signal, handler);
}

// Of signals that come with an error of write(). Unlike SIG_IGN it does not pass on to programs started here.
void leave_to_error(int) {}

}  // namespace

void prepare_process() {
  // Results to a standard output that is closed are to fail, log lines are not.
  for (const auto& [stream, mode] : {std::pair(STDIN_FILENO, O_WRONLY), std::pair(STDOUT_FILENO, O_RDONLY),
                                     std::pair(STDERR_FILENO, O_RDWR)}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    const int opened = ::open("/dev/null", mode);  // the lowest number that is free: this one
    if (opened >= 0 && opened != stream) ::close(opened);
  }
  handle(SIGXFSZ, leave_to_error);
  // A parent that ignores CHLD hands that on, and the exit codes of our children would be lost.
  handle(SIGCHLD, SIG_DFL);
}

void survive_closed_pipes() {
  handle(SIGPIPE, leave_to_error);
}

void catch_interrupts() {
  handle_all(note);
  handle(SIGCONT, count_continued);
  survive_closed_pipes();
}

int interrupted() {
  return first_interrupt;
}

int continued() {
  return num_continued;
}

void ignore_interrupts() {
  handle_all(SIG_IGN);
  survive_closed_pipes();
}

}  // namespace atelier::cli
