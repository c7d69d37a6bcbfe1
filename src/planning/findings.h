#pragma once

#include <string>
#include <vector>

#include "analysis.h"

namespace atelier::planning {

struct Findings {
  bool bad = false;                    ///< the first tells of a job that did not end well
  std::vector<std::string> sentences;  ///< what matters most comes first; at least one
};

/// What a person should know of a job, in sentences: how it ended, what held it up and what would help.
Findings find_what_matters(const io::JobRecord& record, const std::vector<io::FrameRow>& styled,
                           const KeyNumbers& numbers);

/// "12.3 s", "1:02:03" for a length of time as people read it.
std::string time_text(double seconds_s);
/// "0.0123", "4.56", "1234.50": an amount of money with three figures at least.
std::string money_text(double amount);
/// "42 %"
std::string percent_text(double share);

}  // namespace atelier::planning
