#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "atelier/base/buffer.h"

namespace atelier {

struct CloseFile {
  void operator()(std::FILE* file) const noexcept {
    if (file != nullptr) std::fclose(file);
  }
};
/// A C stream that closes itself. Errors of that close are lost: writers call write_file_once.
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

/// A whole file, or what a pipe gives. Throws UsageError that names it, and JobError where the storage fails.
Buffer read_file(const std::filesystem::path& path);

/// Writes front to back, closes once, checks both. Throws JobError that names the file.
void write_file_once(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// A new folder below $TMPDIR (or /tmp), removed with what is in it.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name_start = "atelier");
  /// Below an existing folder of the caller's choice.
  TemporaryFolder(const std::filesystem::path& parent, const std::string& name_start);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// Where temporary files go: $TMPDIR, else /tmp.
std::filesystem::path temporary_root();

/// This machine's name, as gethostname gives it.
std::string host_name();

}  // namespace atelier
