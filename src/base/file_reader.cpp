#include "atelier/base/file_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/file_status.h"
#include "atelier/base/storage_retry.h"
#include "atelier/base/text.h"

namespace atelier {

FileReader::FileReader(std::filesystem::path path) : path_(std::move(path)) {
  const int failed = with_retries(wait_to_read, [this] { return open(); });
  if (failed == EISDIR) throw UsageError(concat("cannot read '", path_.string(), "'"), "it is a folder");
  if (failed == EINVAL)
    throw UsageError(concat("cannot read '", path_.string(), "'"), "it is no regular file");
  if (failed != 0) throw_unreadable(path_, failed);
}

int FileReader::open() {
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  auto file = std::make_unique<FileDescriptor>(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (file->get() < 0 || ::fstat(file->get(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  const bool is_first = file_ == nullptr;
  if (is_first) {
    size_bytes_ = status.st_size;
    modified_s_ = status.st_mtim.tv_sec;
  } else if (status.st_size != size_bytes_ || status.st_mtim.tv_sec != modified_s_) {
    changed_ = "it has changed since it was opened";
  }
  file_ = std::move(file);
  return 0;
}

int FileReader::read_once(std::int64_t offset, std::span<std::byte> bytes, std::size_t& num_read) {
  while (num_read < bytes.size()) {
    const ssize_t got = ::pread(file_->get(), bytes.data() + num_read, bytes.size() - num_read,
                                offset + static_cast<std::int64_t>(num_read));
    if (got < 0) return errno;
    if (got == 0) {
      changed_ = "it has become shorter since it was opened";
      return EIO;
    }
    num_read += static_cast<std::size_t>(got);
  }
  return 0;
}

std::ptrdiff_t FileReader::read(std::int64_t offset, std::span<std::byte> bytes) {
  if (error_number_ != 0) return -error_number_;
  const std::int64_t num_left = std::max<std::int64_t>(0, size_bytes_ - offset);
  if (std::cmp_less(num_left, bytes.size())) bytes = bytes.first(static_cast<std::size_t>(num_left));
  std::size_t num_read = 0;
  bool again = false;
  const int failed = with_retries(wait_to_read, [&] {
    changed_.clear();
    // Where it cannot be opened, the old one may still come back.
    if (std::exchange(again, true)) static_cast<void>(open());
    return changed_.empty() ? read_once(offset, bytes, num_read) : ECANCELED;
  });
  if (failed == 0) return static_cast<std::ptrdiff_t>(num_read);
  error_number_ = failed;
  failed_at_ = offset + static_cast<std::int64_t>(num_read);
  return -failed;
}

void FileReader::throw_if_failed() const {
  if (error_number_ == 0) return;
  const bool changed = !changed_.empty();
  throw JobError(
      concat("cannot read '", path_.string(), "' at byte ", failed_at_),
      changed ? changed_ : errno_text(error_number_),
      concat(changed ? "See that it is whole" : "Check the storage", ", then run the same command again"));
}

}  // namespace atelier
