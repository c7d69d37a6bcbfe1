#pragma once

#include "atelier/pipeline/run_config.h"

namespace atelier::pipeline {

/// Throws UsageError where a file that the job would write is one that it reads, or another that it writes,
/// and where the picture of --preview is not named as one.
void check_written_files(const RunConfig& config);

/// Throws UsageError where nothing can be made in the folder that the output is put together in.
void check_stage_folder(const RunConfig& config);

}  // namespace atelier::pipeline
