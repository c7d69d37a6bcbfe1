#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "atelier/base/handle.h"

namespace atelier::media {

/// The folder in which a start muxes.
std::unique_ptr<TemporaryFolder> make_scratch(const std::filesystem::path& scratch,
                                              const std::string& start_id);

/// Copies from front to back to OUT.<start-id>.part, without a seek, flushes and closes it, and renames it to
/// output. Throws JobError with nothing left behind but what was under output before.
void publish_file(const std::filesystem::path& from, const std::filesystem::path& output,
                  const std::string& start_id);

/// The error of a write that failed. option, "--output" or "--stage-dir", chooses the place.
[[noreturn]] void throw_write_error(const std::filesystem::path& path, int error_number, const char* option);

}  // namespace atelier::media
