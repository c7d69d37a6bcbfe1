#pragma once

#include <string>

#include "atelier/pipeline/run_config.h"

namespace atelier::pipeline {

/// Tries all names that the job will need, by making and removing them where nothing has them yet: the
/// output's part, the work directory, the folder that the output is put together in, status, record, folder
/// of logs. Nothing is left. For --preview only the picture is tried.
///
/// config: its output is the file meant, behind links. named_output: as it was given. Throws UsageError for a
/// name that is impossible, for one that would take the place of something else, and for two that are the
/// same; JobError for storage that fails and may work later.
void check_names(const RunConfig& config, const std::filesystem::path& named_output,
                 const std::string& start_id);

}  // namespace atelier::pipeline
