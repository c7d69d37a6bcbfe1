#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "atelier/io/record.h"
#include "atelier/planning/layout_results.h"  // job_value

namespace atelier::planning {

/// A column of a frame's row that holds seconds of work.
struct FrameStage {
  const char* name;
  float io::FrameRow::*seconds;
  bool at_workers;
};

inline constexpr std::array frame_stages{
    FrameStage{"decode", &io::FrameRow::decode_s, false},
    FrameStage{"transfer", &io::FrameRow::transfer_s, true},
    FrameStage{"convert", &io::FrameRow::convert_s, true},
    FrameStage{"style", &io::FrameRow::style_s, true},
    FrameStage{"encode", &io::FrameRow::encode_s, false},
};

/// Seconds of all stages together.
double all_stages_s(const io::FrameRow& row);

/// Milliseconds over all frames.
struct Spread {
  double mean_ms = 0;
  double median_ms = 0;
  double p95_ms = 0;
  double max_ms = 0;
  double total_s = 0;
};
Spread spread(std::vector<double> seconds);

/// Frames that this start has styled; a failed job also knows frames that it has not, a resumed one those of
/// an earlier start.
std::vector<io::FrameRow> styled_frames(const io::JobRecord& record);
/// Of those the ones whose times are known, of all stages if any are: the others were under way at the end.
std::vector<io::FrameRow> timed_frames(const std::vector<io::FrameRow>& styled);
/// Frames of chunks that an earlier start had finished.
std::int64_t num_restored_frames(const io::JobRecord& record);

/// Ranks that help to encode and style nothing.
int num_helpers(const io::JobRecord& record);
bool encodes_at_workers(const io::JobRecord& record);
bool decodes_at_workers(const io::JobRecord& record);

/// How many of a stage's frames are worked on at a time.
int num_lanes(const io::JobRecord& record, const FrameStage& stage);

/// One of the steps that run side by side and may hold the others up.
struct Load {
  std::string name;   ///< "decoding", "styling", "encoding"
  std::string where;  ///< "at the root", "at the 4 workers"
  int lanes = 1;
  double busy_s = 0;
  double use = 0;  ///< share of the time, from the first deal to the end, that its lanes are busy
  double limit_frames_per_s = 0;  ///< with all lanes busy all the time; 0: it took no time
};
/// Decoding, styling (with transfer and convert), encoding; none for a job that has styled nothing.
std::vector<Load> loads(const io::JobRecord& record, const std::vector<io::FrameRow>& styled);

/// Numbers that are compared between jobs.
struct KeyNumbers {
  std::int64_t num_styled = 0;
  std::int64_t num_restored = 0;
  double frames_per_s = 0;       ///< over the whole job
  double work_frames_per_s = 0;  ///< without the start
  Spread image;                  ///< all stages of an image together
  std::array<Spread, frame_stages.size()> stages;
  std::vector<Load> loads;
  int num_ranks = 0;
  int num_workers = 0;
  int num_machines = 0;
  int num_retries = 0;
  std::int64_t peak_memory_bytes = 0;  ///< of the rank that had most
  std::int64_t encoded_bytes = 0;
};
KeyNumbers key_numbers(const io::JobRecord& record, const std::vector<io::FrameRow>& styled);

}  // namespace atelier::planning
