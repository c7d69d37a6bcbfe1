#pragma once

#include <string>
#include <vector>

#include "analysis.h"
#include "atelier/planning/job_cost.h"

namespace atelier::planning {

/// Tables of the page, as HTML sections; "" where there is nothing to tell.
std::string stage_section(const io::JobRecord& record, const KeyNumbers& numbers);
std::string slowest_section(const io::JobRecord& record, const std::vector<io::FrameRow>& styled);
std::string event_section(const io::JobRecord& record);
std::string cost_section(const JobCost& cost);
std::string facts_section(const io::JobRecord& record);

/// The most telling numbers, large.
/// cost: may be null.
std::string tiles(const io::JobRecord& record, const KeyNumbers& numbers, const JobCost* cost);

}  // namespace atelier::planning
