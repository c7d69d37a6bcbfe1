#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "atelier/io/record.h"

namespace atelier::planning {

/// What a rank does side by side with the rest.
enum class Activity { decode, transfer, style, encode };
inline constexpr int num_activities = 4;
const char* name_of(Activity activity);

/// A stretch of work, in seconds after the job's start.
struct Span {
  int rank = 0;
  Activity activity = Activity::decode;
  double begin_s = 0;
  double end_s = 0;
  std::int64_t chunk_index = 0;
  std::int64_t frame_index = -1;  ///< -1: of the chunk as a whole
  const char* detail = "";        ///< "to the worker", "flush" …
};

/// Whether the record knows when frames were begun; records of older versions know chunks only.
bool knows_begins(const io::JobRecord& record);

/// Calls use for everything that this start has done, in no order. A transfer belongs to the worker at its
/// end.
void for_each_span(const io::JobRecord& record, const std::function<void(const Span&)>& use);

/// A line of the chart: a rank, or several where there are more than a page can show.
struct RankGroup {
  std::string label;
  std::vector<int> ranks;
  std::array<int, num_activities> lanes{};  ///< that can be busy at a time
  bool works = false;                       ///< styles
};
/// At most max_groups. Ranks that are too many are put together machine by machine, then machines.
std::vector<RankGroup> group_ranks(const io::JobRecord& record, std::size_t max_groups);

/// How busy a group is: share_of[activity][bin], 0 to 1, over [0, wall_s) in equal bins.
using BusyShares = std::array<std::vector<double>, num_activities>;
std::vector<BusyShares> busy_shares(const io::JobRecord& record, const std::vector<RankGroup>& groups,
                                    std::size_t num_bins);

}  // namespace atelier::planning
