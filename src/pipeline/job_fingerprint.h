#pragma once

#include <string>

#include "atelier/io/fingerprint.h"

namespace atelier::pipeline {

struct Job;

/// All that the bits of a job's output depend on. capability: the workers' kind of CPU or GPU.
io::Fingerprint job_fingerprint(const Job& job, const std::string& capability);

}  // namespace atelier::pipeline
