#pragma once

#include <string>
#include <vector>

#include "analysis.h"

namespace atelier::planning {

/// Tables of the page, as HTML sections; "" where there is nothing to tell.
std::string stage_section(const io::JobRecord& record, const KeyNumbers& numbers);
std::string slowest_section(const io::JobRecord& record, const std::vector<io::FrameRow>& styled);
std::string event_section(const io::JobRecord& record);
std::string facts_section(const io::JobRecord& record);

/// The most telling numbers, large.
std::string tiles(const io::JobRecord& record, const KeyNumbers& numbers);

}  // namespace atelier::planning
