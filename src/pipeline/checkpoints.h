#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/stopwatch.h"
#include "atelier/io/job_state.h"
#include "atelier/io/owner_mark.h"
#include "atelier/io/segment_store.h"
#include "atelier/io/state_store.h"
#include "atelier/pipeline/run_config.h"

namespace atelier::pipeline {

/// Another for every start of the program.
std::string new_start_id(const RunConfig& config);

/// --work-dir, else OUT.atelier
std::filesystem::path work_directory(const RunConfig& config);

/// Throws UsageError for an output that exists without --overwrite, unless the work directory says that the
/// start that was to write it has not ended well, or has only not tidied up.
void check_output_is_free(const RunConfig& config);

struct CheckpointsConfig {
  const RunConfig* run = nullptr;
  std::string start_id;
  std::string launcher;
  io::Fingerprint fingerprint;
  io::ProcessorKind processor;
  std::optional<std::int64_t> num_frames;      ///< of the job, where it is known
  std::function<void()> give_up_waiting = {};  ///< called while it watches another start; may throw
  std::function<void()> before_writing = {};   ///< called before each access to the disk, which may take long
};

/// What a job keeps in its work directory, and what it found there: segments, state, owner mark. One thread
/// uses it, but for segments().
class Checkpoints {
 public:
  /// Makes the work directory. Throws UsageError where another start is at work in it or has just finished
  /// the output, where it cannot be made, and where finished chunks were made on another kind of processor,
  /// without --allow-mixed.
  explicit Checkpoints(CheckpointsConfig config);
  ~Checkpoints();
  Checkpoints(const Checkpoints&) = delete;
  Checkpoints& operator=(const Checkpoints&) = delete;

  /// An earlier start of the same job has finished the output, and was ended before its work directory was
  /// gone: all that is left is remove().
  [[nodiscard]] bool output_is_finished() const { return output_is_finished_; }
  /// Chunks of earlier starts; none with --no-resume.
  [[nodiscard]] const std::map<std::int64_t, io::FoundSegment>& finished() const { return found_.chunks; }
  /// What was found, a sentence each, for the log.
  [[nodiscard]] const std::vector<std::string>& findings() const { return findings_; }
  /// Whether any chunk is stored, by earlier starts or this one.
  [[nodiscard]] bool has_chunks() const { return state_.chunks_done > 0; }
  [[nodiscard]] io::SegmentStore& segments() { return segments_; }
  [[nodiscard]] const io::Fingerprint& fingerprint() const { return state_.fingerprint; }

  /// A chunk more is in the store.
  void chunk_stored(std::int64_t num_frames);
  /// To be called often: renews mark and state now and then.
  void tick();
  /// The last state of this start. Throws nothing: a warning says where it could not be written.
  void ended(io::JobStatus status, ExitCode code, const std::string& message);
  /// After success: the work directory goes, unless --keep-work.
  void remove();

 private:
  void check_output();
  void find();
  void check_processors();
  void write_state();

  const RunConfig& run_;
  std::function<void()> before_writing_;
  std::filesystem::path work_dir_;
  std::string start_id_;
  io::ProcessorKind processor_;
  io::JobState state_;
  io::OwnerMark mark_;
  io::StateStore states_;
  io::SegmentStore segments_;
  io::FoundSegments found_;
  std::vector<std::string> findings_;
  Stopwatch since_state_;
  bool dirty_ = false;
  bool output_is_finished_ = false;
};

}  // namespace atelier::pipeline
