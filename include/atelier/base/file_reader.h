#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "atelier/base/file_descriptor.h"

namespace atelier {

/// A regular file on storage that may fail. What may pass is tried again, on a file opened anew, since a
/// mount that comes back does not know the old one; what lasts is kept: every later read fails too.
///
/// The file is what it was when it was opened: it ends at its size of then, and one that is shorter or
/// replaced meanwhile counts as failed. For one thread at a time.
class FileReader {
 public:
  /// Throws UsageError where there is no such file or it is a folder or no regular file, and JobError where
  /// the storage fails.
  explicit FileReader(std::filesystem::path path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::int64_t size_bytes() const { return size_bytes_; }

  /// Fills bytes from offset on, and gives how many there were: fewer only where the file ends, 0 at its end.
  /// Negative: -errno of a failure that lasts; throw_if_failed() says it.
  std::ptrdiff_t read(std::int64_t offset, std::span<std::byte> bytes);
  /// Throws JobError that names the file and the byte where it failed.
  void throw_if_failed() const;

 private:
  int open();
  int read_once(std::int64_t offset, std::span<std::byte> bytes, std::size_t& num_read);

  std::filesystem::path path_;
  std::unique_ptr<FileDescriptor> file_;
  std::int64_t size_bytes_ = 0;
  std::int64_t modified_s_ = 0;

  // The first failure that lasted.
  int error_number_ = 0;
  std::int64_t failed_at_ = 0;
  std::string changed_;  ///< how the file changed; empty: the storage failed
};

}  // namespace atelier
