#include "file_check.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <utility>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/file_status.h"
#include "atelier/base/handle.h"
#include "atelier/base/storage_retry.h"
#include "atelier/base/text.h"
#include "atelier/base/write_error.h"
#include "atelier/io/work_directory.h"
#include "atelier/media/muxer.h"
#include "checkpoints.h"
#include "status_writer.h"

namespace atelier::pipeline {
namespace {

namespace fs = std::filesystem;
using NamedFile = std::pair<std::string, fs::path>;

constexpr int may_write = W_OK | X_OK;

fs::path whole_path(const fs::path& path) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(path, error);
  return error ? fs::absolute(path, error).lexically_normal() : canonical;  // as where a name is too long
}

bool is_same_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::exists(a, error) && fs::exists(b, error)) return fs::equivalent(a, b, error);
  return whole_path(a) == whole_path(b);
}

void check_differ(const NamedFile& written, const NamedFile& other) {
  if (written.second.empty() || other.second.empty() || !is_same_file(written.second, other.second)) return;
  throw UsageError(
      concat(written.first, " and ", other.first, " are the same file ('", written.second.string(), "')"), "",
      concat("Give ", written.first, " another name"));
}

// A file that the job would write is none that it reads, and no other file or folder that it writes.
void check_written_files(const RunConfig& config) {
  std::vector<NamedFile> others{{"--input", config.input}, {"--model", config.model}};
  for (const fs::path& style : config.styles) others.emplace_back("--style", style);
  const NamedFile output{"--output", config.output};
  if (config.preview_s) {
    for (const NamedFile& file : others) check_differ(output, file);
    return;
  }
  others.emplace_back("--work-dir", work_directory(config));
  others.emplace_back("--log-dir", config.log_dir);
  others.emplace_back("--stage-dir", config.stage_dir);
  std::vector<NamedFile> written{output};
  if (!config.record.empty()) written.emplace_back("--record", behind_links(config.record, "--record"));
  if (const fs::path status = status_path(config); !status.empty())
    written.emplace_back("--status", behind_links(status, "--status"));
  for (const NamedFile& file : written) {
    for (const NamedFile& other : others) check_differ(file, other);
    others.push_back(file);
  }
}

// The pictures of a folder are the input too.
void check_not_in_input(const RunConfig& config) {
  std::error_code error;
  if (!fs::is_directory(config.input, error) || !fs::exists(config.output, error)) return;
  if (is_same_file(fs::absolute(config.output, error).parent_path(), config.input))
    throw UsageError(concat("output '", config.output.string(), "' is in the folder of --input, and exists"),
                     "it may be one of its pictures", "Give another name");
}

void check_is_file(const fs::path& path, const std::string& what) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (path.filename().empty() || fs::is_directory(status))
    throw UsageError(concat(what, " '", path.string(), "' is a directory"), "", "Name a file in it");
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw UsageError(concat(what, " '", path.string(), "' is no file"), "it is a device, a pipe or the like",
                     "Name a file");
}

// A file that is written in place. advice: what to do otherwise.
void try_file(const fs::path& given, const std::string& what, const std::string& advice) {
  const fs::path path = behind_links(given, what);
  check_is_file(path, what);
  std::error_code error;
  int failed = 0;
  if (fs::exists(path, error)) {
    if (::euidaccess(path.c_str(), W_OK) != 0) failed = errno;
  } else {
    failed = try_new_file(path);
  }
  const std::string problem = concat("cannot write ", what, " '", given.string(), "'");
  if (may_pass(failed))
    throw JobError(problem, write_error_text(failed), write_error_advice(failed, what, ""));
  if (failed == ENOENT)
    throw UsageError(problem, "its folder is missing", concat("Make that first. ", advice));
  if (failed != 0) throw UsageError(problem, write_error_text(failed), advice);
}

void try_stage_folder(const RunConfig& config, const std::string& start_id) {
  const bool is_given = !config.stage_dir.empty();
  try {
    const TemporaryFolder trial(is_given ? config.stage_dir : temporary_root(), concat("atelier.", start_id));
  } catch (const JobError&) {
    throw UsageError(concat("the output cannot be put together in '",
                            (is_given ? config.stage_dir : temporary_root()).string(), "'"),
                     "no folder can be made there",
                     is_given ? "Name another with --stage-dir" : "Set TMPDIR or --stage-dir to another");
  }
}

// Writing into a folder, or making it; 0 or errno. Parents: those that are missing would be made too.
int try_folder(const fs::path& folder, bool with_parents) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (fs::is_directory(status)) return ::euidaccess(folder.c_str(), may_write) == 0 ? 0 : errno;
  if (fs::exists(status)) return ENOTDIR;
  if (error && error.value() != ENOENT) return error.value();
  const fs::path parent = fs::absolute(folder, error).parent_path();
  if (with_parents && !fs::exists(parent, error)) {
    const std::size_t most = max_name_bytes("/");
    return most > 0 && folder.filename().string().size() > most ? ENAMETOOLONG : try_folder(parent, true);
  }
  std::error_code failed;
  if (fs::create_directory(folder, failed)) fs::remove(folder, failed);
  return failed.value() == ENOTEMPTY ? 0 : failed.value();  // another start has made it meanwhile
}

void try_work_directory(const RunConfig& config) {
  const fs::path folder = work_directory(config);
  const std::string problem = concat("cannot use the work directory '", folder.string(), "'");
  const char* advice = "Choose another with --work-dir";
  if (folder.string().size() + io::max_bytes_below_work_directory >= PATH_MAX)
    throw UsageError(problem, "the paths of its files would be too long", advice);
  // OUT.atelier is shorter than the part's name, which has been made.
  std::error_code error;
  if (config.work_dir.empty() && !fs::exists(folder, error)) return;
  const int failed = try_folder(folder, false);
  if (may_pass(failed))
    throw JobError(problem, errno_text(failed), write_error_advice(failed, "--work-dir", ""));
  if (failed == ENOENT) throw UsageError(problem, "the folder it is to lie in is missing", "Make that first");
  if (failed != 0) throw UsageError(problem, errno_text(failed), advice);
}

void try_log_folder(const RunConfig& config) {
  if (config.log_dir.empty()) return;
  if (const int failed = try_folder(config.log_dir, true); failed != 0)
    throw UsageError(concat("--log-dir '", config.log_dir.string(), "' cannot be written to"),
                     errno_text(failed), "Name another folder");
}

void check_preview(const RunConfig& config, const fs::path& named_output) {
  if (!config.overwrite && file_status(config.output).kind != FileStatus::Kind::missing)
    throw UsageError(concat("output '", config.output.string(), "' exists"), "",
                     "Give --overwrite, or another name");
  if (named_output.extension() != ".png" && named_output.extension() != ".PNG")
    throw UsageError(concat("output '", named_output.string(), "' is no name for a preview"),
                     "--preview writes a PNG", "Let the name end in .png");
  try_file(config.output, "output", "Choose another name");
}

}  // namespace

void check_names(const RunConfig& config, const fs::path& named_output, const std::string& start_id) {
  check_written_files(config);
  check_not_in_input(config);
  check_is_file(config.output, "output");
  if (config.preview_s) return check_preview(config, named_output);
  check_output_is_free(config);
  media::check_output_writable(config.output, start_id);
  try_stage_folder(config, start_id);
  try_work_directory(config);
  check_status_path(config);
  if (!config.status.empty() && config.status != "none")
    try_file(config.status, "the status file", "Give another name with --status, or --status none");
  if (!config.record.empty()) try_file(config.record, "--record", "Give it another name");
  try_log_folder(config);
}

}  // namespace atelier::pipeline
