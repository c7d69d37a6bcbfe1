#include "output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"
#include "atelier/media/muxer.h"

namespace atelier::media {
namespace fs = std::filesystem;
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }
  /// 0, or -1 with errno.
  int close() { return ::close(std::exchange(number_, -1)); }

 private:
  int number_;
};

/// Removes the file unless keep() was called.
class LeftoverGuard {
 public:
  explicit LeftoverGuard(fs::path path) : path_(std::move(path)) {}
  ~LeftoverGuard() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove(path_, ignored);
  }
  LeftoverGuard(const LeftoverGuard&) = delete;
  LeftoverGuard& operator=(const LeftoverGuard&) = delete;
  void keep() { path_.clear(); }

 private:
  fs::path path_;
};

void write_all(int to, const char* data, std::size_t size_bytes, const fs::path& path) {
  while (size_bytes > 0) {
    const ssize_t written = ::write(to, data, size_bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw_write_error(path, written < 0 ? errno : ENOSPC);
    data += written;
    size_bytes -= static_cast<std::size_t>(written);
  }
}

/// Some file systems cannot flush, and say so.
bool is_flush_refusal(int error_number) {
  return error_number == EINVAL || error_number == ENOSYS || error_number == ENOTSUP || error_number == EROFS;
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

}  // namespace

void throw_write_error(const fs::path& path, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
  throw JobError(concat("cannot write '", path.string(), "'"), errno_text(error_number),
                 full ? "Free some space or choose another folder, then run again" : "");
}

fs::path part_path(const fs::path& output, const std::string& start_id) {
  fs::path part = output;
  part += concat(".", start_id, ".part");
  return part;
}

void publish_file(const fs::path& from, const fs::path& output, const std::string& start_id) {
  const fs::path part = part_path(output, start_id);
  const FileDescriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (source.get() < 0) throw JobError(concat("cannot read '", from.string(), "'"), errno_text(errno));
  FileDescriptor target(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (target.get() < 0) throw_write_error(part, errno);
  LeftoverGuard leftover(part);

  std::vector<char> block(std::size_t{4} << 20);
  for (;;) {
    const ssize_t got = ::read(source.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw JobError(concat("cannot read '", from.string(), "'"), errno_text(errno));
    if (got == 0) break;
    write_all(target.get(), block.data(), static_cast<std::size_t>(got), part);
  }
  if (::fsync(target.get()) != 0 && !is_flush_refusal(errno)) throw_write_error(part, errno);
  if (target.close() != 0) throw_write_error(part, errno);
  if (::rename(part.c_str(), output.c_str()) != 0) throw_write_error(output, errno);
  leftover.keep();
}

void check_output_writable(const fs::path& output) {
  const fs::path folder = folder_of(output);
  const std::string problem = concat("cannot write output '", output.string(), "'");
  std::error_code failed;
  if (output.filename().empty() || fs::is_directory(output, failed))
    throw UsageError(problem, "it is a folder", "Name a file");
  if (!fs::exists(folder, failed))
    throw UsageError(problem, concat("there is no folder '", folder.string(), "'"), "Make the folder first");
  if (!fs::is_directory(folder, failed))
    throw UsageError(problem, concat("'", folder.string(), "' is no folder"));
  // A byte, and closed before it goes: a store makes the object only then.
  const fs::path trial = folder / concat(".atelier-trial.", host_name(), ".", ::getpid());
  FileDescriptor file(::open(trial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const bool written = file.get() >= 0 && ::write(file.get(), "", 1) == 1 && file.close() == 0;
  const int error_number = errno;
  ::unlink(trial.c_str());
  if (!written)
    throw UsageError(problem, concat("folder '", folder.string(), "': ", errno_text(error_number)),
                     "Choose a folder that you may write to");
}

}  // namespace atelier::media
