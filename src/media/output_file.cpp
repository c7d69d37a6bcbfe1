#include "output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/file_descriptor.h"
#include "atelier/base/file_reader.h"
#include "atelier/base/handle.h"
#include "atelier/base/storage_retry.h"
#include "atelier/base/text.h"
#include "atelier/base/write_error.h"
#include "atelier/media/muxer.h"

namespace atelier::media {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t block_bytes = std::size_t{4} << 20;

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

/// 0 or errno.
int write_all(int to, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(to, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : ENOSPC;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

/// Copies, flushes and closes: 0, or errno of the target.
int copy_whole(const fs::path& from, const fs::path& to) {
  FileReader source(from);
  FileDescriptor target(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (target.get() < 0) return errno;
  Buffer block(block_bytes);
  for (std::int64_t offset = 0; offset < source.size_bytes();) {
    const std::ptrdiff_t got = source.read(offset, block.bytes());
    source.throw_if_failed();
    const int failed = write_all(target.get(), block.bytes().first(static_cast<std::size_t>(got)));
    if (failed != 0) return failed;
    offset += got;
  }
  if (::fsync(target.get()) != 0 && !is_flush_refusal(errno)) return errno;
  return target.close() == 0 ? 0 : errno;
}

/// False also where one of them cannot be read.
bool have_same_bytes(const fs::path& a, const fs::path& b) {
  try {
    FileReader in_a(a);
    FileReader in_b(b);
    if (in_a.size_bytes() != in_b.size_bytes()) return false;
    Buffer block_a(block_bytes);
    Buffer block_b(block_bytes);
    for (std::int64_t offset = 0; offset < in_a.size_bytes();) {
      const std::ptrdiff_t got = in_a.read(offset, block_a.bytes());
      if (got <= 0 || in_b.read(offset, block_b.bytes()) != got) return false;
      if (std::memcmp(block_a.data(), block_b.data(), static_cast<std::size_t>(got)) != 0) return false;
      offset += got;
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// 0 or errno. A network file system may have renamed though it gave an error, or have been asked twice.
int rename_part(const fs::path& part, const fs::path& output, const fs::path& copied_from) {
  if (::rename(part.c_str(), output.c_str()) == 0) return 0;
  const int error_number = errno;
  return error_number == ENOENT && have_same_bytes(copied_from, output) ? 0 : error_number;
}

void sleep_s(double seconds_s) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds_s));
}

fs::path part_path(const fs::path& output, const std::string& start_id) {
  fs::path part = output;
  part += concat(".", start_id, ".part");
  return part;
}

std::string scratch_name(const std::string& start_id) {
  return concat("atelier.", start_id);
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

[[noreturn]] void throw_name_too_long(const std::string& problem, const fs::path& output,
                                      const fs::path& part) {
  const std::size_t most = max_name_bytes(folder_of(output));
  const std::size_t needed = part.filename().string().size();
  const std::size_t added = needed - output.filename().string().size();
  if (needed <= most) throw UsageError(problem, "the path is too long", "Choose another folder");
  throw UsageError(problem,
                   concat("while it is written its name has ", added, " bytes more, ", needed,
                          ", and the file system allows ", most),
                   concat("Give a name of at most ", most - added, " bytes"));
}

// "" where a file may be renamed to this name, as far as can be told without doing it.
std::string why_not_replaceable(const fs::path& output) {
  struct statx file {};
  if (::statx(AT_FDCWD, output.c_str(), 0, STATX_TYPE | STATX_UID, &file) != 0)
    return {};  // nothing is there
  if (!S_ISREG(file.stx_mode)) return "it is no file, but a device, a pipe or the like";
  const std::uint64_t known = file.stx_attributes & file.stx_attributes_mask;
  if ((known & STATX_ATTR_MOUNT_ROOT) != 0) return "a file system is mounted on it, so it cannot be replaced";
  if ((known & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0) return "its attributes forbid to replace it";
  struct stat folder {};
  const bool sticky = ::stat(folder_of(output).c_str(), &folder) == 0 && (folder.st_mode & S_ISVTX) != 0;
  const uid_t user = ::geteuid();
  if (sticky && user != 0 && user != file.stx_uid && user != folder.st_uid)
    return "it is somebody else's, and in this folder only its owner may replace it";
  return {};
}

}  // namespace

void throw_write_error(const fs::path& path, int error_number, const char* option) {
  throw JobError(concat("cannot write '", path.string(), "'"), write_error_text(error_number),
                 write_error_advice(
                     error_number, option,
                     concat("Choose another with ", option,
                            "; with the work directory named by --work-dir it goes on from what is stored")));
}

std::unique_ptr<TemporaryFolder> make_scratch(const fs::path& scratch, const std::string& start_id) {
  return std::make_unique<TemporaryFolder>(scratch.empty() ? temporary_root() : scratch,
                                           scratch_name(start_id));
}

void remove_leftovers(const fs::path& output, const fs::path& scratch, const std::string& start_id) {
  std::error_code ignored;
  fs::remove(part_path(output, start_id), ignored);
  const std::string name_start = scratch_name(start_id) + ".";
  std::vector<fs::path> left;
  fs::directory_iterator entry(scratch.empty() ? temporary_root() : scratch, ignored);
  for (; !ignored && entry != fs::directory_iterator(); entry.increment(ignored))
    if (entry->path().filename().string().starts_with(name_start)) left.push_back(entry->path());
  for (const fs::path& folder : left) fs::remove_all(folder, ignored);
}

void publish_file(const fs::path& from, const fs::path& output, const std::string& start_id) {
  const fs::path part = part_path(output, start_id);
  LeftoverGuard leftover(part);
  const int failed = with_retries(sleep_s, [&] {
    const int error_number = copy_whole(from, part);
    if (error_number != 0) ::unlink(part.c_str());  // what is there takes room
    return error_number;
  });
  if (failed != 0) throw_write_error(part, failed, "--output");
  const int not_renamed = with_retries(sleep_s, [&] { return rename_part(part, output, from); });
  if (not_renamed != 0) throw_write_error(output, not_renamed, "--output");
  leftover.keep();
}

void check_output_writable(const fs::path& output, const std::string& start_id) {
  const fs::path folder = folder_of(output);
  const std::string problem = concat("cannot write output '", output.string(), "'");
  std::error_code failed;
  if (output.filename().empty() || fs::is_directory(output, failed))
    throw UsageError(problem, "it is a folder", "Name a file");
  if (!fs::exists(folder, failed))
    throw UsageError(problem, concat("there is no folder '", folder.string(), "'"), "Make the folder first");
  if (!fs::is_directory(folder, failed))
    throw UsageError(problem, concat("'", folder.string(), "' is no folder"));
  // The very name, which is longer than output's.
  const fs::path part = part_path(output, start_id);
  const int error_number = try_new_file(part);
  if (error_number == ENAMETOOLONG) throw_name_too_long(problem, output, part);
  if (may_pass(error_number)) throw_write_error(part, error_number, "--output");
  if (error_number != 0)
    throw UsageError(problem, concat("folder '", folder.string(), "': ", write_error_text(error_number)),
                     "Choose another folder, or another name");
  if (const std::string why = why_not_replaceable(output); !why.empty())
    throw UsageError(problem, why, "Give another name");
}

}  // namespace atelier::media
