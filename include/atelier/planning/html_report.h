#pragma once

#include <string>
#include <vector>

#include "atelier/planning/named_record.h"

namespace atelier::planning {

/// One HTML page that needs nothing but itself: what a job did and what held it up, in sentences, plots and
/// tables; of several records also what differs. Its size is bounded, whatever the length of the job and the
/// number of ranks. records: at least one.
std::string html_report(const std::vector<NamedRecord>& records);

}  // namespace atelier::planning
