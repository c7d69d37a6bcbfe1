#pragma once

#include <string>
#include <vector>

#include "atelier/planning/named_record.h"
#include "atelier/planning/prices.h"

namespace atelier::planning {

/// One HTML page that needs nothing but itself: what a job did and what held it up, in sentences, plots and
/// tables; of several records also what differs. Its size is bounded, whatever the length of the job and the
/// number of ranks. records: at least one.
/// prices: also what they cost; may be null. Throws UsageError where those do not know a job's machines.
std::string html_report(const std::vector<NamedRecord>& records, const Prices* prices = nullptr);

}  // namespace atelier::planning
