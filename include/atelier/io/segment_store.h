#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "atelier/io/file_operations.h"
#include "atelier/io/segment_file.h"

namespace atelier::io {

/// A chunk that the store has.
struct FoundSegment {
  Chunk chunk;
  std::uint64_t input_hash = 0;
  std::int64_t last_pts_ticks = 0;
  std::vector<std::byte> reader_state;
  ProcessorKind processor;
};

/// A file that is no usable segment of this job.
struct PassedOver {
  std::string file_name;
  SegmentProblem problem;
};

struct FoundSegments {
  std::map<std::int64_t, FoundSegment> chunks;  ///< by chunk index
  std::vector<PassedOver> passed_over;
};

/// "cut", "damaged", "of other settings" …: to follow a count.
const char* fault_text(SegmentFault fault);

/// "passed over 3 stored files: 2 cut, 1 of other settings"; empty where there is none.
std::string summary(const std::vector<PassedOver>& passed_over);

/// The encoded chunks of a job, a file each, in WORK_DIR/segments:
///
///     <chunk, 8 digits>-<first 16 hex digits of the fingerprint>-<start id>[.<try>].seg
///
/// A name is written once, front to back, and never again: each start has names of its own, and each try
/// after a failure too. So starts that run at the same time cannot harm each other. Readers take any file
/// that is whole and right. Any thread may call put() and read(), while one calls find().
class SegmentStore {
 public:
  /// Makes WORK_DIR/segments in the folder work_dir, which is there (make_work_directory).
  /// start_id: letters and digits, another for every start. Throws JobError where the folder cannot be made.
  SegmentStore(const std::filesystem::path& work_dir, Hash128 fingerprint, std::string start_id,
               FileOperations& files = system_files());

  /// Stores a chunk. What may pass is tried again, in all for some seconds.
  /// Throws JobError, to be shown to the user, when that did not help, and for another fingerprint.
  void put(const StoredSegment& stored);

  /// Reads and checks every file that it has not seen to be right before, so that the first call takes as
  /// long as reading the folder. May be called again for what other starts have stored meanwhile. Throws
  /// JobError where the folder cannot be listed or the storage fails below a file.
  FoundSegments find();

  /// A chunk that find() or put() named. Throws JobError where none of its files can be read any more.
  StoredSegment read(std::int64_t chunk_index);

 private:
  struct Known {
    FoundSegment found;
    std::vector<std::string> file_names;  // all are right; the first one is read
  };
  /// The segment in the file if that is right and has this fingerprint.
  ParsedSegment load(const std::string& file_name, std::int64_t chunk_index);
  [[nodiscard]] bool knows(const std::string& file_name, std::int64_t chunk_index);
  void remember(const std::string& file_name, FoundSegment found);
  [[nodiscard]] std::string file_name(std::int64_t chunk_index, int attempt) const;

  std::filesystem::path folder_;
  Hash128 fingerprint_;
  std::string start_id_;
  FileOperations& files_;
  std::mutex mutex_;
  std::map<std::int64_t, Known> known_;
};

}  // namespace atelier::io
