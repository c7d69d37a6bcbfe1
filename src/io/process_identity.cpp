#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <utility>

#include "atelier/base/handle.h"
#include "atelier/base/text.h"
#include "atelier/io/owner_mark.h"

namespace atelier::io {
namespace {

struct ProcessStatus {
  char state = '?';
  std::int64_t start_ticks = 0;
};

/// Fields 3 and 22 of /proc/PID/stat, counted from behind the command's name, which may hold anything.
std::optional<ProcessStatus> status_of(std::int64_t pid) {
  std::ifstream file(concat("/proc/", pid, "/stat"));
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  ProcessStatus status;
  fields >> status.state;
  constexpr int first_number = 4;
  constexpr int start_time = 22;
  for (int field = first_number; field <= start_time; ++field) fields >> status.start_ticks;
  if (!fields) return std::nullopt;
  return status;
}

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

bool ProcessIdentity::shares_processes_with(const ProcessIdentity& other) const {
  return !boot_id.empty() && !pid_namespace.empty() && host == other.host && boot_id == other.boot_id &&
         pid_namespace == other.pid_namespace;
}

ProcessIdentity this_process() {
  ProcessIdentity identity;
  identity.host = host_name();
  identity.boot_id = first_line("/proc/sys/kernel/random/boot_id");
  std::error_code failed;
  identity.pid_namespace = std::filesystem::read_symlink("/proc/self/ns/pid", failed).string();
  identity.pid = ::getpid();
  if (const auto status = status_of(identity.pid)) identity.start_ticks = status->start_ticks;
  return identity;
}

bool process_runs(const ProcessIdentity& process) {
  if (process.pid <= 0 || !std::in_range<pid_t>(process.pid)) return false;
  const std::optional<ProcessStatus> status = status_of(process.pid);
  // /proc may hide the processes of other users.
  if (!status) return ::kill(static_cast<pid_t>(process.pid), 0) == 0 || errno == EPERM;
  return status->state != 'Z' && status->state != 'X' && status->start_ticks == process.start_ticks;
}

}  // namespace atelier::io
