#include "atelier/base/file_status.h"

#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "atelier/base/error.h"
#include "atelier/base/storage_retry.h"
#include "atelier/base/text.h"

namespace atelier {
namespace fs = std::filesystem;
namespace {

int list_once(const fs::path& folder, std::vector<fs::path>& files) {
  files.clear();
  std::error_code failed;
  fs::directory_iterator entry(folder, failed);
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    std::error_code unknown;
    const bool is_file = entry->is_regular_file(unknown);
    if (is_file || unknown == std::errc::no_such_file_or_directory) files.push_back(entry->path());
    if (unknown && !is_about_path(unknown.value())) return unknown.value();
  }
  return failed.value();
}

}  // namespace

void throw_unreadable(const fs::path& path, int error_number) {
  const std::string problem = concat("cannot read '", path.string(), "'");
  if (is_about_path(error_number)) throw UsageError(problem, errno_text(error_number));
  throw JobError(problem, errno_text(error_number), "Check the storage, then run the same command again");
}

FileStatus file_status(const fs::path& path) {
  struct stat found {};
  const int failed =
      with_retries(wait_to_read, [&] { return ::stat(path.c_str(), &found) == 0 ? 0 : errno; });
  if (failed != 0 && !is_about_path(failed)) throw_unreadable(path, failed);
  FileStatus status;
  status.error_number = failed;
  if (failed != 0) return status;
  status.kind = S_ISREG(found.st_mode)   ? FileStatus::Kind::regular
                : S_ISDIR(found.st_mode) ? FileStatus::Kind::folder
                                         : FileStatus::Kind::other;
  status.size_bytes = found.st_size;
  status.modified_s = found.st_mtim.tv_sec;
  return status;
}

std::vector<fs::path> regular_files(const fs::path& folder) {
  std::vector<fs::path> files;
  const int failed = with_retries(wait_to_read, [&] { return list_once(folder, files); });
  if (failed != 0) throw_unreadable(folder, failed);
  return files;
}

}  // namespace atelier
