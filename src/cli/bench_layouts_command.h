#pragma once

#include <string>
#include <vector>

namespace atelier::cli {

/// `atelier bench layouts`: a real job for each layout; tables and plots. arguments: what follows `layouts`.
int bench_layouts_command(const std::vector<std::string>& arguments);

}  // namespace atelier::cli
