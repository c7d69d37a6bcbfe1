#include "atelier/io/work_directory.h"

#include <cerrno>
#include <optional>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "work_directory_names.h"

namespace atelier::io {
namespace fs = std::filesystem;
namespace {

constexpr const char* about_text =
    "This folder was made by atelier. It keeps the finished parts of an unfinished video: the same command "
    "goes\n"
    "on from them, and removes the folder when the video is done. If the video is no longer wanted and no "
    "such\n"
    "job runs, the folder may be deleted.\n";

/// The start that made a file of this name, if one of ours has it; state.json is everybody's.
std::optional<std::string> start_of(const std::string& name) {
  if (const auto segment = parse_segment_name(name)) return segment->start_id;
  for (const char* kind : {owner_kind, state_kind})
    if (const auto numbered = parse_numbered_name(kind, name)) return numbered->start_id;
  return std::nullopt;
}

class Remover {
 public:
  Remover(FileOperations& files, RemoveFiles which, const std::string& start_id)
      : files_(files), which_(which), start_id_(start_id) {}

  bool remove(const fs::path& path) {
    const int failed = with_retries(files_, [&] { return files_.remove(path); });
    return failed == 0 || failed == ENOENT;
  }
  std::vector<std::string> list(const fs::path& folder) {
    std::vector<std::string> names;
    if (with_retries(files_, [&] { return files_.list(folder, names); }) != 0) names.clear();
    return names;
  }
  /// Of the names in folder for which is_ours; gives those that stayed.
  template <typename IsOurs>
  std::vector<std::string> remove_ours(const fs::path& folder, const IsOurs& is_ours) {
    std::vector<std::string> stayed;
    for (const std::string& name : list(folder)) {
      const std::optional<std::string> start = start_of(name);
      const bool wanted = start && (which_ == RemoveFiles::of_all_starts || *start == start_id_);
      if (!wanted || !is_ours(name) || !remove(folder / name)) stayed.push_back(name);
    }
    return stayed;
  }

 private:
  FileOperations& files_;
  RemoveFiles which_;
  const std::string& start_id_;
};

}  // namespace

void make_work_directory(const fs::path& work_dir, FileOperations& files) {
  const std::string problem = concat("cannot make the work directory '", work_dir.string(), "'");
  const int failed = with_retries(files, [&] { return files.make_folder(work_dir); });
  if (failed == EEXIST) {
    std::vector<std::string> names;
    const int list_failed = with_retries(files, [&] { return files.list(work_dir, names); });
    if (list_failed != 0)
      throw UsageError(concat("cannot use the work directory '", work_dir.string(), "'"),
                       errno_text(list_failed), "Choose another with --work-dir");
    return;
  }
  if (failed == ENOENT) throw UsageError(problem, "the folder it is to lie in is missing", "Make that first");
  if (failed != 0) throw UsageError(problem, errno_text(failed), "Choose another with --work-dir");
  const fs::path about = work_dir / about_name;
  const auto text = std::as_bytes(std::span(std::string_view(about_text)));
  const int about_failed = with_retries(files, [&] { return files.replace(about, text); });
  if (about_failed != 0) throw_store_error(about, about_failed);
}

std::vector<std::string> remove_work_directory(const fs::path& work_dir, RemoveFiles which,
                                               const std::string& start_id, FileOperations& files) {
  Remover remover(files, which, start_id);
  const fs::path segments = work_dir / segments_folder;
  std::vector<std::string> stayed;
  for (const std::string& name : remover.remove_ours(segments, [](const std::string&) { return true; }))
    stayed.push_back(concat(segments_folder, "/", name));
  if (stayed.empty() && !remover.remove(segments)) stayed.emplace_back(segments_folder);

  // state.json goes last of all: as long as anything is left, it says that the job is done.
  bool about_is_there = false;
  bool state_is_there = false;
  for (const std::string& name :
       remover.remove_ours(work_dir, [](const std::string& n) { return !parse_segment_name(n); })) {
    if (name == about_name) {
      about_is_there = true;
    } else if (name == state_name) {
      state_is_there = true;
    } else if (name != segments_folder) {
      stayed.push_back(name);
    }
  }
  const bool others = which == RemoveFiles::of_this_start && !stayed.empty();
  if (state_is_there && (others || !remover.remove(work_dir / state_name))) stayed.emplace_back(state_name);
  if (!about_is_there) return stayed;
  if (stayed.empty()) {
    if (remover.remove(work_dir / about_name) && remover.remove(work_dir)) return {};
  }
  stayed.emplace_back(about_name);
  return stayed;
}

}  // namespace atelier::io
