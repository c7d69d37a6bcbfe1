#pragma once

#include <string>

#include "atelier/io/record.h"

namespace atelier::planning {

/// Text of `atelier report`: time per image, per stage, per rank, frames/s, the slowest stage, the use of
/// each rank.
std::string text_report(const io::JobRecord& record);

/// One line a frame: frame_index, pts_ticks, chunk_index, rank, done_s and seconds of each stage, with a
/// header line.
std::string csv_report(const io::JobRecord& record);

}  // namespace atelier::planning
