#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "atelier/base/hash.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "checkpoints.h"
#include "decode_stage.h"
#include "mux_stage.h"
#include "record_builder.h"

namespace atelier::pipeline {

struct Job;

struct StoringConfig {
  std::string launcher;
  std::function<io::ProcessorKind()> processors;  ///< of the ranks that are ready
  std::function<void()> give_up_waiting;          ///< called while another start is watched; may throw
  std::function<void()> before_writing;           ///< as in CheckpointsConfig
};

/// The end of a chunk's way at the root: stored, then muxed in order; and what earlier starts have stored.
class Storing {
 public:
  Storing(const Job& job, RecordBuilder& record, const StoringConfig& config);

  /// What an earlier start has stored of the chunk, or null.
  [[nodiscard]] const io::FoundSegment* found(std::int64_t chunk_index) const;
  /// All chunks that are stored, or are being stored.
  [[nodiscard]] const FinishedChunks& kept() const { return kept_; }
  /// Whether anything is being stored.
  [[nodiscard]] bool busy() const { return num_storing_ > 0; }

  /// Keeps a new chunk. input_hash: of its frames as decoded; reader_state: of the packets they came from.
  void keep(EncodedChunk encoded, std::uint64_t input_hash, std::vector<std::byte> reader_state);
  /// A found chunk is that of this video: it goes to the output. False: it has done so before.
  bool use_found(std::int64_t chunk_index);
  /// A chunk that is stored now.
  std::optional<Chunk> try_pop_stored();
  /// Tells the record of found chunks that went to the output. Whether there were any.
  bool drain_restored();

  [[nodiscard]] Checkpoints& checkpoints() { return *checkpoints_; }
  [[nodiscard]] MuxStage& mux() { return *mux_; }

 private:
  void open_checkpoints(const Job& job, const StoringConfig& config);

  RecordBuilder& record_;
  std::function<io::ProcessorKind()> processors_;
  std::optional<Checkpoints> checkpoints_;
  std::optional<MuxStage> mux_;
  FinishedChunks kept_;
  std::set<std::int64_t> used_;  // found chunks that went to the output
  std::int64_t num_storing_ = 0;
};

}  // namespace atelier::pipeline
