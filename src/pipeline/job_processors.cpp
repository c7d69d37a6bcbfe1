#include "job_processors.h"

#include <utility>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::pipeline {
namespace {

// "Intel(R) Xeon(R) Processor (AVX512), bits 54790d193f2c7815": machines of one name may differ.
std::string named(const std::string& name, const std::string& bits) {
  return bits.empty() || bits == name ? name : concat(name, ", bits ", bits);
}

}  // namespace

void JobProcessors::add(int rank, const RankProcessor& processor) {
  if (processor.frames) add(frames_, *processor.frames, rank, processor.name, "styles them");
  if (!processor.encoder.empty()) add(encoders_, processor.encoder, rank, processor.name, "encodes them");
}

void JobProcessors::add(Kinds& kinds, const std::string& bits, int rank, const std::string& name,
                        const char* what) const {
  if (!kinds.empty() && !kinds.contains(bits) && !allow_mixed_) {
    const auto& [other_bits, other] = *kinds.begin();
    throw UsageError(concat("workers run on different hardware (rank ", other.rank, ": ",
                            named(other.name, other_bits), "; rank ", rank, ": ", named(name, bits), ")"),
                     concat("the frames would depend on who ", what),
                     "Use machines of one kind, or give --allow-mixed");
  }
  kinds.try_emplace(bits, rank, name);
}

io::ProcessorKind JobProcessors::kind() const {
  io::ProcessorKind kind;
  std::vector<std::string> names;
  for (const auto& [bits, part] : frames_) {
    if (bits.empty()) continue;  // any processor gives the same
    kind.bits += concat("frames ", bits, "; ");
    names.push_back(named(part.name, bits));
  }
  for (const auto& [bits, part] : encoders_) {
    kind.bits += concat("encoder ", bits, "; ");
    names.push_back(concat("encoder with ", bits));
  }
  if (!style_bits_.empty()) {
    kind.bits += concat("style ", style_bits_, "; ");
    names.push_back(concat("style bits ", style_bits_));
  }
  kind.name = join(names, ", ");
  return kind;
}

}  // namespace atelier::pipeline
