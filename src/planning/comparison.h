#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis.h"
#include "atelier/planning/html_report.h"
#include "atelier/planning/job_cost.h"

namespace atelier::planning {

/// A record with what is computed of it once.
struct Analysed {
  const NamedRecord* named = nullptr;
  std::vector<io::FrameRow> styled;
  KeyNumbers numbers;
  std::optional<JobCost> cost;  ///< where prices are given
};

/// Sections that show several jobs side by side, as HTML: key numbers with their difference to the first,
/// speed over time, time per image.
std::string comparison_sections(const std::vector<Analysed>& jobs);

}  // namespace atelier::planning
