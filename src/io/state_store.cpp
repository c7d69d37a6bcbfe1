#include "atelier/io/state_store.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "atelier/base/write_error.h"
#include "sealed_json.h"
#include "work_directory_names.h"

namespace atelier::io {
namespace fs = std::filesystem;
namespace {

/// Keeps state if it is the newest so far. Of two with one sequence the greater start id counts as newer, so
/// that all readers agree.
void take_newer(std::optional<JobState>& newest, JobState state) {
  if (!newest || std::pair(state.sequence, state.start_id) > std::pair(newest->sequence, newest->start_id))
    newest = std::move(state);
}

}  // namespace

FoundState find_state(const fs::path& work_dir, FileOperations& files) {
  std::vector<std::string> names;
  const int list_failed = with_retries(files, [&] { return files.list(work_dir, names); });
  if (list_failed == ENOENT) return {};
  if (list_failed != 0)
    throw JobError(concat("cannot list '", work_dir.string(), "'"), errno_text(list_failed),
                   write_error_advice(list_failed, "--work-dir", "Choose another with --work-dir"));
  FoundState found;
  for (const std::string& name : names) {
    const std::optional<NumberedName> numbered = parse_numbered_name(state_kind, name);
    if (!numbered && name != state_name) continue;
    Buffer bytes;
    const fs::path path = work_dir / name;
    const int failed = with_retries(files, [&] { return files.read(path, max_json_bytes, bytes); });
    if (may_pass(failed)) throw_load_error(path, errno_text(failed));
    ParsedState parsed = failed == 0 ? parse_state(bytes.bytes()) : ParsedState{{}, errno_text(failed)};
    if (parsed.state && numbered &&
        (parsed.state->sequence != numbered->sequence || parsed.state->start_id != numbered->start_id))
      parsed = {std::nullopt, "its name says another start or sequence than it holds"};
    if (parsed.state) {
      take_newer(found.newest, std::move(*parsed.state));
    } else {
      found.passed_over.push_back(concat(name, ": ", parsed.problem));
    }
  }
  return found;
}

StateStore::StateStore(fs::path work_dir, std::string start_id, FileOperations& files)
    : work_dir_(std::move(work_dir)), start_id_(std::move(start_id)), files_(files) {
  if (!is_start_id(start_id_)) throw JobError(concat("'", start_id_, "' is no start id"));
  found_ = find_state(work_dir_, files_);
  if (found_.newest) sequence_ = found_.newest->sequence;
  std::vector<std::string> names;
  if (with_retries(files_, [&] { return files_.list(work_dir_, names); }) != 0) return;
  for (const std::string& name : names) {
    const std::optional<NumberedName> numbered = parse_numbered_name(state_kind, name);
    if (!numbered) continue;
    sequence_ = std::max(sequence_, numbered->sequence);
    older_names_.push_back(name);
  }
}

void StateStore::write(JobState state) {
  state.start_id = start_id_;
  state.updated = utc_text(wall_clock_s());
  const auto path = [&](std::int64_t sequence) {
    return work_dir_ / numbered_name(state_kind, start_id_, sequence);
  };
  const auto content = [&](std::int64_t sequence) {
    state.sequence = sequence;
    return serialise_state(state);
  };
  const int failed = with_retries(files_, [&] { return create_numbered(files_, sequence_, path, content); });
  const std::string name = numbered_name(state_kind, start_id_, sequence_);
  if (failed != 0) throw_store_error(work_dir_ / name, failed);

  const Buffer bytes = serialise_state(state);
  const fs::path copy = work_dir_ / state_name;
  const int copy_failed = with_retries(files_, [&] { return files_.replace(copy, bytes.bytes()); });
  if (copy_failed != 0) throw_store_error(copy, copy_failed);

  for (const std::string& older : std::exchange(older_names_, {name}))
    static_cast<void>(files_.remove(work_dir_ / older));
}

}  // namespace atelier::io
