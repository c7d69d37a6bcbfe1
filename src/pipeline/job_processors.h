#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "atelier/io/segment_file.h"

namespace atelier::pipeline {

/// What of a rank's processor the bits of a job depend on.
struct RankProcessor {
  std::string name;                   ///< "AMD EPYC … (AVX2)"
  std::optional<std::string> frames;  ///< of a rank that styles: WorkerReady::capability
  std::string encoder;                ///< of one that encodes: media::encoder_processor; empty: any is alike
};

/// The processors of a job's ranks: whether they fit one another, and what kind they are together.
class JobProcessors {
 public:
  /// style_bits: hash of what the root has computed of the style pictures; empty: nothing.
  JobProcessors(bool allow_mixed, std::string style_bits)
      : allow_mixed_(allow_mixed), style_bits_(std::move(style_bits)) {}

  /// Throws UsageError for a rank that makes other bits than one before it, unless mixed ones are allowed.
  void add(int rank, const RankProcessor& processor);

  /// All that have been added together.
  [[nodiscard]] io::ProcessorKind kind() const;

 private:
  struct Part {
    int rank = 0;  // the first one of the kind
    std::string name;
  };
  using Kinds = std::map<std::string, Part>;  // by their bits
  void add(Kinds& kinds, const std::string& bits, int rank, const std::string& name, const char* what) const;

  bool allow_mixed_;
  std::string style_bits_;
  Kinds frames_;
  Kinds encoders_;
};

}  // namespace atelier::pipeline
