#pragma once

#include <string>
#include <vector>

#include "atelier/io/record.h"

namespace atelier::planning {

/// Frames/s in equal parts of the job's time.
struct Rate {
  std::vector<double> frames_per_s;
  double end_s = 0;  ///< of the last part
};
Rate rate_over_time(const io::JobRecord& record, const std::vector<io::FrameRow>& styled,
                    std::size_t max_parts);

/// Sections of the page, as HTML; each for a job that has styled at least one frame.
std::string speed_section(const io::JobRecord& record, const std::vector<io::FrameRow>& styled);
/// timed: frames with the times of all stages.
std::string image_time_section(const std::vector<io::FrameRow>& timed);
std::string activity_section(const io::JobRecord& record);
std::string use_section(const io::JobRecord& record, const std::vector<io::FrameRow>& styled);

/// Coloured squares and what they stand for: class and text.
std::string legend(const std::vector<std::pair<std::string, std::string>>& entries);

}  // namespace atelier::planning
