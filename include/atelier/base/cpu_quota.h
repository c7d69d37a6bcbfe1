#pragma once

#include <filesystem>
#include <optional>

namespace atelier {

/// The share of CPU time that the control groups of this process leave it, in cores, not rounded: cpu.max of
/// version 2, cpu.cfs_quota_us and cpu.cfs_period_us of version 1, the least of its own group and all above
/// it (Linux: Documentation/admin-guide/cgroup-v2.rst, Documentation/scheduler/sched-bwc.rst). nullopt: no
/// limit, or none that can be read. root: where /proc and the mounted groups are looked for.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

/// Cores for a process that may run on num_allowed and has time for quota, rounded up; at least 1.
int usable_cores(int num_allowed, std::optional<double> quota);

/// The same of this process.
int num_usable_cores();

}  // namespace atelier
