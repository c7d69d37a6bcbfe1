#include "space_check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "atelier/base/checked_cast.h"
#include "atelier/base/error.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"

namespace atelier::media {
namespace fs = std::filesystem;
namespace {

/// Bytes that this user may still write there; nothing where the file system does not tell, as some object
/// stores.
std::optional<std::uintmax_t> free_bytes(const fs::path& folder) {
  std::error_code failed;
  const fs::space_info space = fs::space(folder, failed);
  if (failed || space.capacity == 0) return std::nullopt;
  return ::geteuid() == 0 ? space.free : space.available;
}

bool on_one_file_system(const fs::path& a, const fs::path& b) {
  struct stat of_a {};
  struct stat of_b {};
  return ::stat(a.c_str(), &of_a) == 0 && ::stat(b.c_str(), &of_b) == 0 && of_a.st_dev == of_b.st_dev;
}

void check_folder(const fs::path& folder, const SpaceNeed& need, int num_copies, const std::string& advice) {
  const std::optional<std::uintmax_t> free = free_bytes(folder);
  if (!free) return;
  const auto least = checked_cast<std::uintmax_t>(need.least_bytes * num_copies);
  const auto probable = checked_cast<std::uintmax_t>(need.probable_bytes * num_copies);
  const std::string has = concat("it has ", human_bytes(static_cast<double>(*free)), " free");
  const std::string why =
      num_copies > 1 ? ", twice what the output takes, for it is put together on the same disk" : "";
  if (*free < least)
    throw UsageError(
        concat("'", folder.string(), "' is too small for the output"),
        concat(has, " and at least ", human_bytes(static_cast<double>(least)), " are needed", why), advice);
  if (*free < probable)
    log::warning(concat("'", folder.string(), "' may be too small for the output (", has, " and about ",
                        human_bytes(static_cast<double>(probable)), " are needed", why, "). ", advice, "."));
}

}  // namespace

void check_space(const fs::path& scratch, const fs::path& output_folder, const SpaceNeed& need) {
  const std::string other_scratch = "Choose another folder with --stage-dir or TMPDIR";
  if (on_one_file_system(scratch, output_folder)) {
    check_folder(scratch, need, 2, concat(other_scratch, ", or free some space"));
  } else {
    check_folder(scratch, need, 1, concat(other_scratch, ", or free some space"));
    check_folder(output_folder, need, 1, "Free some space, or choose another folder for the output");
  }
}

}  // namespace atelier::media
