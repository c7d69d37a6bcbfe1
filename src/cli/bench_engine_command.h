#pragma once

#include <string>
#include <vector>

namespace atelier::cli {

/// `atelier bench engine`: CSV on stdout. arguments: what follows `engine`.
int bench_engine_command(const std::vector<std::string>& arguments);

}  // namespace atelier::cli
