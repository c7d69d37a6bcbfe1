#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/buffer.h"
#include "atelier/base/storage_retry.h"

namespace atelier::io {

/// All that the work directory asks of a file system, and no more than an object store behind a mount can do:
/// files are written front to back and closed once; nothing seeks, appends, locks or renames. Each call gives
/// 0 or an errno and throws nothing. Calls from several threads at once are fine.
class FileOperations {
 public:
  virtual ~FileOperations() = default;

  /// Makes a file; EEXIST if there is one of that name.
  [[nodiscard]] virtual int create(const std::filesystem::path& path, std::span<const std::byte> bytes) = 0;
  /// Makes a file, or writes one anew.
  [[nodiscard]] virtual int replace(const std::filesystem::path& path, std::span<const std::byte> bytes) = 0;
  /// The whole file; EFBIG, and nothing read, where it has more than max_bytes.
  [[nodiscard]] virtual int read(const std::filesystem::path& path, std::size_t max_bytes, Buffer& bytes) = 0;
  /// Names of what is in the folder, sorted.
  [[nodiscard]] virtual int list(const std::filesystem::path& folder, std::vector<std::string>& names) = 0;
  /// EEXIST if something of that name is there.
  [[nodiscard]] virtual int make_folder(const std::filesystem::path& path) = 0;
  /// A file or an empty folder.
  [[nodiscard]] virtual int remove(const std::filesystem::path& path) = 0;
  /// Lets time pass between two tries.
  virtual void wait(double seconds_s) = 0;
};

/// Those of the operating system.
FileOperations& system_files();

/// The same for operations on these files.
template <typename Operation>
int with_retries(FileOperations& files, const Operation& operation) {
  return atelier::with_retries([&files](double wait_s) { files.wait(wait_s); }, operation);
}

/// Throws JobError: path could not be written, and what to do about it.
[[noreturn]] void throw_store_error(const std::filesystem::path& path, int error_number);

/// Throws JobError: what is stored at path cannot be read now, and nothing of it is lost.
[[noreturn]] void throw_load_error(const std::filesystem::path& path, const std::string& why);

}  // namespace atelier::io
