#pragma once

#include <cstdint>
#include <filesystem>

namespace atelier::media {

/// What shows whether an input is still being written, or is another one: of a file its size and its time of
/// change, of a picture row (see VideoReaderConfig::path) those of all its pictures.
struct InputState {
  std::int64_t num_files = 0;
  std::int64_t size_bytes = 0;      ///< of all files
  std::int64_t modified_s = 0;      ///< of the file that changed last, after the epoch
  std::uint64_t pictures_hash = 0;  ///< XXH3 of the pictures' names, sizes and times; 0: one file

  bool operator==(const InputState&) const = default;
};

/// As it is now. Throws UsageError where there is no such input, JobError where the storage fails.
InputState input_state(const std::filesystem::path& path);

/// Throws JobError unless the input is still as before, an InputState taken before anything was read of it:
/// what was read may have been half-written.
void check_unchanged(const std::filesystem::path& path, const InputState& before);

}  // namespace atelier::media
