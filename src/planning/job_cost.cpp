#include "atelier/planning/job_cost.h"

#include <map>
#include <vector>

#include "analysis.h"
#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::planning {

JobCost job_cost(const io::JobRecord& record, const Prices& prices) {
  std::map<std::string, int> workers_on;
  for (const io::RankRow& row : record.ranks) workers_on[row.host] += row.styles() ? 1 : 0;
  std::map<int, int> machines_with;
  for (const auto& [host, num_workers] : workers_on) ++machines_with[num_workers];
  JobCost result;
  result.currency = prices.currency;
  result.root_is_left_out = machines_with.erase(0) > 0;
  if (machines_with.empty())
    throw UsageError("the cost of a job cannot be told", "its record names no workers", "Leave --prices out");
  std::vector<std::string> parts;
  for (const auto& [num_workers, num_machines] : machines_with) {
    const Layout layout{.num_machines = num_machines, .gpus_per_machine = num_workers};
    const double cost = prices.cost(layout, record.wall_s);
    result.cost += cost;
    result.cold_start_cost += prices.cost(layout, prices.cold_start_s + record.wall_s) - cost;
    parts.push_back(concat(num_machines, num_machines == 1 ? " machine" : " machines", " with ", num_workers,
                           num_workers == 1 ? " worker" : " workers"));
  }
  result.machines = join(parts, ", ");
  if (const auto styled = styled_frames(record).size(); styled > 0)
    result.cost_of_1000_frames = 1000 * result.cost / static_cast<double>(styled);
  return result;
}

}  // namespace atelier::planning
