#pragma once

#include <string>

#include "atelier/io/fingerprint.h"

namespace atelier::pipeline {

struct Job;

/// All that the bits of a job's output depend on, but for the processors (JobProcessors): another one is
/// found out, and finished chunks are not thrown away for it.
io::Fingerprint job_fingerprint(const Job& job);

}  // namespace atelier::pipeline
