#pragma once

#include <filesystem>

#include "atelier/pipeline/run_config.h"

namespace atelier::pipeline {

/// Throws UsageError where a file that the job would write is one that it reads, or another that it writes.
void check_written_files(const RunConfig& config);

/// Throws UsageError where the output of --preview is not named as a picture.
void check_preview_name(const std::filesystem::path& output);

/// Throws UsageError where nothing can be made in the folder that the output is put together in.
void check_stage_folder(const RunConfig& config);

}  // namespace atelier::pipeline
