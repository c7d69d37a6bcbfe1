#pragma once

#include <string>

#include "atelier/io/record.h"
#include "atelier/planning/prices.h"

namespace atelier::planning {

/// What a job that was run has cost.
struct JobCost {
  std::string currency;
  double cost = 0;                 ///< of the machines of its workers, from the job's start to its end
  double cost_of_1000_frames = 0;  ///< at the job's speed; 0: it has styled none
  double cold_start_cost = 0;      ///< more, if the machines were started for this job
  std::string machines;            ///< "2 machines with 4 workers"
  bool root_is_left_out = false;   ///< it had a machine of its own, which the price file does not know
};

/// A machine's price goes by the number of workers on it, one for each GPU. Throws UsageError for a number
/// that the price file does not have, and for a record without workers.
JobCost job_cost(const io::JobRecord& record, const Prices& prices);

}  // namespace atelier::planning
