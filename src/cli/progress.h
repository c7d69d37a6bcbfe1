#pragma once

#include <memory>
#include <string>

#include "atelier/pipeline/progress.h"

namespace atelier::cli {

/// auto, bar, json or none (null). auto: a bar if stdout, or that of mpirun, is a terminal (under mpirun
/// stderr never is), else a line every 30 s. All of them write to stderr.
std::unique_ptr<pipeline::ProgressSink> make_progress(const std::string& how);

}  // namespace atelier::cli
