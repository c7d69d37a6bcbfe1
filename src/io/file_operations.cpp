#include "atelier/io/file_operations.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/file_descriptor.h"
#include "atelier/base/text.h"
#include "atelier/base/write_error.h"

namespace atelier::io {
namespace fs = std::filesystem;
namespace {

int write_once(const fs::path& path, int flags, std::span<const std::byte> bytes) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666));
  if (file.get() < 0) return errno;
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return ENOSPC;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0 && !is_flush_refusal(errno)) return errno;
  return file.close() == 0 ? 0 : errno;
}

class SystemFiles : public FileOperations {
 public:
  int create(const fs::path& path, std::span<const std::byte> bytes) override {
    return write_once(path, O_EXCL, bytes);
  }
  int replace(const fs::path& path, std::span<const std::byte> bytes) override {
    return write_once(path, O_TRUNC, bytes);
  }

  int read(const fs::path& path, std::size_t max_bytes, Buffer& bytes) override {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return errno;
    if (S_ISDIR(status.st_mode)) return EISDIR;
    if (!S_ISREG(status.st_mode)) return EINVAL;
    if (std::cmp_greater(status.st_size, max_bytes)) return EFBIG;
    try {
      bytes = Buffer(static_cast<std::size_t>(status.st_size));
    } catch (const std::bad_alloc&) {
      return ENOMEM;
    }
    std::size_t num_read = 0;
    while (num_read < bytes.size()) {
      const ssize_t got = ::read(file.get(), bytes.data() + num_read, bytes.size() - num_read);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno;
      if (got == 0) return EIO;
      num_read += static_cast<std::size_t>(got);
    }
    return 0;
  }

  int list(const fs::path& folder, std::vector<std::string>& names) override {
    names.clear();
    std::error_code failed;
    for (fs::directory_iterator entry(folder, failed); !failed && entry != fs::directory_iterator();
         entry.increment(failed))
      names.push_back(entry->path().filename().string());
    std::sort(names.begin(), names.end());
    return failed.value();
  }

  int make_folder(const fs::path& path) override { return ::mkdir(path.c_str(), 0777) == 0 ? 0 : errno; }
  int remove(const fs::path& path) override { return std::remove(path.c_str()) == 0 ? 0 : errno; }
  void wait(double seconds_s) override {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds_s));
  }
};

}  // namespace

FileOperations& system_files() {
  static SystemFiles files;
  return files;
}

void throw_store_error(const fs::path& path, int error_number) {
  const std::string problem = concat("cannot write '", path.string(), "'");
  if (error_number == ENOENT)
    throw JobError(problem, "the work directory is gone", "Run the same command again");
  throw JobError(problem, write_error_text(error_number),
                 write_error_advice(error_number, "--work-dir", "Choose another with --work-dir"));
}

void throw_load_error(const fs::path& path, const std::string& why) {
  throw JobError(
      concat("cannot read '", path.string(), "'"), why,
      "Check the storage, then run the same command again: it goes on from what is stored. A file that "
      "is lost for good may be removed: what it held is then made anew");
}

}  // namespace atelier::io
