#pragma once

#include <string>

namespace atelier::cli {

/// `atelier report --follow FILE`: shows the progress of a running job from its status file until the job is
/// over. Returns the job's exit code, 1 for a job that will say no more. Throws UsageError.
int follow_job(const std::string& status_file, const std::string& progress);

}  // namespace atelier::cli
