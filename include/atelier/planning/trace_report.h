#pragma once

#include <filesystem>
#include <vector>

#include "atelier/planning/named_record.h"

namespace atelier::planning {

/// Writes what jobs did as trace events in JSON, for ui.perfetto.dev and chrome://tracing: a process for each
/// machine, threads for what each rank did side by side, a slice for each chunk and each stage of each frame,
/// counters of frames done and chunks under way, events as instants. Times are microseconds after the job's
/// start. Written front to back, never whole in memory. Throws JobError that names the file.
///
/// Source of the format: "Trace Event Format" of the Chromium project.
void write_trace(const std::filesystem::path& path, const std::vector<NamedRecord>& records);

}  // namespace atelier::planning
