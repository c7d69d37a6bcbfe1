#pragma once

#include <string>
#include <vector>

namespace atelier::cli {

/// `atelier train`: arguments are those behind the word train. Trains the adaptive network, or (--pack) only
/// packs the pictures. Returns the exit code; throws UsageError and JobError.
int train_command(const std::vector<std::string>& arguments);

}  // namespace atelier::cli
