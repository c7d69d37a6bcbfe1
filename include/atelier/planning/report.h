#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "atelier/io/record.h"
#include "atelier/planning/named_record.h"
#include "atelier/planning/prices.h"

namespace atelier::planning {

/// Text of `atelier report`: time per image, per stage, per rank, frames/s, the slowest stage, the use of
/// each rank.
/// prices: also what it cost; may be null. Throws UsageError where they do not know its machines.
std::string text_report(const io::JobRecord& record, const Prices* prices = nullptr);

/// One line a frame: frame_index, pts_ticks, chunk_index, rank, done_s and seconds of each stage, with a
/// header line; of several records each line begins with the record's name. Written front to back. Throws
/// JobError that names the file.
void write_csv(const std::filesystem::path& path, const std::vector<NamedRecord>& records);

}  // namespace atelier::planning
