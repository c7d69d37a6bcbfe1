#include "atelier/media/input_state.h"

#include <algorithm>
#include <string>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/file_status.h"
#include "atelier/base/hash.h"
#include "atelier/base/text.h"
#include "atelier/media/picture_row.h"
#include "input.h"

namespace atelier::media {
namespace fs = std::filesystem;
namespace {

InputState state_of_row(const std::vector<fs::path>& pictures) {
  InputState state;
  Hasher hasher;
  for (const fs::path& picture : pictures) {
    const FileStatus status = file_status(picture);
    ++state.num_files;
    state.size_bytes += status.size_bytes;
    state.modified_s = std::max(state.modified_s, status.modified_s);
    hasher.update(concat(picture.filename().string(), '\0', status.size_bytes, ' ', status.modified_s, '\n'));
  }
  state.pictures_hash = hasher.digest();
  return state;
}

std::string how_it_changed(const InputState& before, const InputState& now) {
  if (before.num_files != now.num_files)
    return concat("it had ", before.num_files, " pictures when the job began, and has ", now.num_files);
  if (before.size_bytes != now.size_bytes)
    return concat("it had ", before.size_bytes, " bytes when the job began, and has ", now.size_bytes);
  return now.num_files > 1 ? "one of its pictures was written while the job ran"
                           : "its time of change is no longer that of when the job began";
}

}  // namespace

InputState input_state(const fs::path& path) {
  const FileStatus status = file_status(path);
  if (status.kind == FileStatus::Kind::regular) return {1, status.size_bytes, status.modified_s, 0};
  return state_of_row(picture_row(path));
}

void check_unchanged(const fs::path& path, const InputState& before) {
  InputState now;
  try {
    now = input_state(path);
  } catch (const UsageError&) {
    throw_gone(path);
  }
  if (now == before) return;
  throw JobError(concat("'", path.string(), "' was still being written"), how_it_changed(before, now),
                 "Run the same command again when it is whole");
}

}  // namespace atelier::media
