#include "atelier/launch/ranks_command.h"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <sstream>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"

namespace atelier::launch {
namespace {

std::string with_numbers(std::string text, const Placement& placement) {
  const auto replace = [&](const std::string& name, int number) {
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name))
      text.replace(at, name.size(), std::to_string(number));
  };
  replace("{machines}", placement.num_machines);
  replace("{gpus}", placement.workers_per_machine);
  return text;
}

}  // namespace

std::vector<std::string> read_hosts(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw UsageError(concat("host list '", path.string(), "' cannot be read"), errno_text(errno));
  std::vector<std::string> hosts;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name;
    if (!(words >> name)) continue;
    if (std::ranges::find(hosts, name) != hosts.end())
      throw UsageError(concat("host list '", path.string(), "' names ", name, " twice"), "",
                       "Name each machine once; the layout says how many workers it gets");
    hosts.push_back(name);
  }
  if (hosts.empty())
    throw UsageError(concat("host list '", path.string(), "' names no machine"), "it has one name a line");
  return hosts;
}

void check_hosts(const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) {
    // A small system may have no /etc/hosts, and mpirun knows these without.
    if (host == "localhost" || host == host_name()) continue;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(host.c_str(), nullptr, nullptr, &found);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
    if (error != 0)
      throw UsageError(concat("host '", host, "' cannot be found"), gai_strerror(error),
                       "Correct its name in the host list");
  }
}

RanksCommand mpirun_command(const Placement& placement, const std::vector<std::string>& hosts,
                            const std::vector<std::string>& mpirun, const std::vector<std::string>& program) {
  RanksCommand result{mpirun};
  const auto add = [&](std::initializer_list<std::string> words) {
    result.command.insert(result.command.end(), words);
  };
  add({"--bind-to", "none", "--oversubscribe", "-n", std::to_string(placement.num_ranks())});
  if (!hosts.empty()) {
    const auto num_machines = static_cast<std::size_t>(placement.num_machines);
    if (hosts.size() < num_machines)
      throw UsageError(
          concat("the host list names ", hosts.size(), " machines where ", num_machines, " are needed"));
    std::vector<std::string> places;
    for (std::size_t i = 0; i < num_machines; ++i)
      places.push_back(concat(hosts[i], ":", placement.workers_per_machine + (i == 0 ? 1 : 0)));
    add({"--map-by", "slot", "--host", join(places, ",")});
  }
  result.command.insert(result.command.end(), program.begin(), program.end());
  return result;
}

RanksCommand sbatch_command(const Placement& placement, const std::filesystem::path& script,
                            const std::filesystem::path& program, const std::vector<std::string>& options,
                            const std::filesystem::path& job_log,
                            const std::vector<std::string>& run_arguments) {
  RanksCommand result;
  result.command = {"sbatch",
                    "--wait",
                    "--parsable",
                    concat("--nodes=", placement.num_machines),
                    concat("--ntasks=", placement.num_ranks()),
                    concat("--ntasks-per-node=", placement.workers_per_machine + 1),
                    concat("--output=", job_log.string())};
  for (const std::string& option : options) result.command.push_back(with_numbers(option, placement));
  result.command.push_back(script.string());
  result.command.insert(result.command.end(), run_arguments.begin(), run_arguments.end());
  // The settings come from the arguments alone.
  result.environment = {{"ATELIER_PROGRAM", program.string()}, {"ATELIER_CONFIG", "/dev/null"}};
  return result;
}

}  // namespace atelier::launch
