#include "atelier/base/write_error.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/file_descriptor.h"
#include "atelier/base/storage_retry.h"
#include "atelier/base/text.h"

namespace atelier {
namespace fs = std::filesystem;
namespace {

constexpr const char* again = "un the same command again: it goes on from what is stored";

std::optional<double> file_size_limit_bytes() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

int make_and_remove(const fs::path& path) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return errno;
  int failed = ::write(file.get(), "", 1) == 1 ? 0 : errno;
  if (file.close() != 0 && failed == 0) failed = errno;
  if (::unlink(path.c_str()) != 0 && failed == 0) failed = errno;
  return failed;
}

}  // namespace

std::string write_error_text(int error_number) {
  const std::string text = errno_text(error_number);
  if (error_number != EFBIG) return text;
  if (const auto limit = file_size_limit_bytes())
    return concat(text, ": 'ulimit -f' allows ", human_bytes(*limit), " a file");
  return concat(text, ": the file system has a limit");
}

std::string write_error_advice(int error_number, const std::string& option, const std::string& otherwise) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return concat("Free some space there. R", again);
    case EFBIG:
      if (file_size_limit_bytes()) return concat("Lift the limit, and r", again);
      return concat("Choose another file system with ", option);
    case EACCES:
    case EPERM:
    case EROFS:
      return concat("Make it writable, or choose another with ", option,
                    "; the same command then goes on from what is stored");
    case ENOENT:
      return "Make the folder again; the same command then goes on from what is stored";
    default:
      return may_pass(error_number) ? concat("R", again) : otherwise;
  }
}

int try_new_file(const fs::path& path) {
  const auto sleep_s = [](double wait_s) {
    std::this_thread::sleep_for(std::chrono::duration<double>(wait_s));
  };
  bool is_ours = false;  // a try that failed may have left the file
  return with_retries(sleep_s, [&] {
    if (std::exchange(is_ours, true)) ::unlink(path.c_str());
    const int failed = make_and_remove(path);
    if (failed == EEXIST) is_ours = false;
    return failed;
  });
}

std::size_t max_name_bytes(const fs::path& folder) {
  const long limit = ::pathconf(folder.c_str(), _PC_NAME_MAX);
  return limit > 0 ? static_cast<std::size_t>(limit) : 0;
}

fs::path behind_links(const fs::path& path, const std::string& what) {
  constexpr int max_links = 40;  // as Linux follows
  fs::path current = path;
  std::error_code failed;
  for (int links = 0; links < max_links; ++links) {
    if (!fs::is_symlink(fs::symlink_status(current, failed))) {
      if (links == 0) return path;
      const fs::path folder = fs::canonical(current.has_parent_path() ? current.parent_path() : ".", failed);
      if (!failed) return folder / current.filename();
      throw UsageError(concat(what, " '", path.string(), "' is a link to '", current.string(), "'"),
                       concat("its folder: ", failed.message()), "Make that folder first, or name a file");
    }
    const fs::path target = fs::read_symlink(current, failed);
    if (failed) throw UsageError(concat(what, " '", path.string(), "' cannot be used"), failed.message());
    current = target.is_absolute() ? target : current.parent_path() / target;
  }
  throw UsageError(concat(what, " '", path.string(), "' is no file"), "its symbolic links lead in a circle",
                   "Name a file");
}

}  // namespace atelier
