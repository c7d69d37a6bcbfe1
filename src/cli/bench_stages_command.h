#pragma once

#include <string>
#include <vector>

namespace atelier::cli {

/// `atelier bench stages`: CSV on stdout. arguments: what follows `stages`.
int bench_stages_command(const std::vector<std::string>& arguments);

}  // namespace atelier::cli
