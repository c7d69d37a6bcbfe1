#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "atelier/io/file_operations.h"
#include "atelier/io/job_state.h"

namespace atelier::io {

struct FoundState {
  std::optional<JobState> newest;
  std::vector<std::string> passed_over;  ///< "state.json: its hash is wrong"
};

/// The newest valid state in a work directory, by sequence and never by a clock: of state.json and all
/// state-<start id>-<sequence>.json. A folder that is missing has none. Throws JobError where it cannot be
/// listed or the storage fails below a state.
FoundState find_state(const std::filesystem::path& work_dir, FileOperations& files = system_files());

/// Writes the states of one start. Each goes to a file of its own, state-<start id>-<sequence>.json, and then
/// to state.json, the only name that is written more than once: the copy for operators and launchers. A
/// process that dies in between leaves at least one of them whole. Then older files go.
class StateStore {
 public:
  /// Reads what is there. work_dir: it exists. Throws JobError where it cannot be listed.
  StateStore(std::filesystem::path work_dir, std::string start_id, FileOperations& files = system_files());

  /// What was there before this start.
  [[nodiscard]] const FoundState& found() const noexcept { return found_; }

  /// Sets start_id, sequence and updated. Throws JobError when it could not be written, also after trying
  /// again.
  void write(JobState state);

 private:
  std::filesystem::path work_dir_;
  std::string start_id_;
  FileOperations& files_;
  FoundState found_;
  std::int64_t sequence_ = 0;
  std::vector<std::string> older_names_;
};

}  // namespace atelier::io
