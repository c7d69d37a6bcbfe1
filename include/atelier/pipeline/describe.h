#pragma once

#include <filesystem>
#include <string>

namespace atelier::pipeline {

/// Version, libraries and devices of this program, a line each.
std::string describe_build();

/// The streams of a video, a line each. Throws UsageError for what is none.
std::string describe_input(const std::filesystem::path& path);

}  // namespace atelier::pipeline
