#pragma once

namespace atelier::pipeline {

struct Job;

/// Styles the frame at --preview and writes it to the output as PNG.
void write_preview(Job& job);

/// Says on stdout what the job would do; writes nothing.
void describe_dry_run(const Job& job, int num_ranks);

}  // namespace atelier::pipeline
