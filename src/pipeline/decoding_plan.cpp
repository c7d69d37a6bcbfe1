#include "decoding_plan.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/media/packet_reader.h"
#include "job.h"

namespace atelier::pipeline {
namespace {

// Looked at before the job: enough for several groups of pictures.
constexpr std::int64_t max_surveyed_frames = 1000;
constexpr std::size_t max_surveyed_bytes = std::size_t{64} << 20;

void survey(const Job& job, DecodingFacts& facts) {
  media::PacketReader reader(packet_reader_config(job));
  std::int64_t num_frames = 0;
  std::int64_t num_decoded = 0;
  std::size_t num_bytes = 0;
  while (num_frames < max_surveyed_frames && num_bytes < max_surveyed_bytes) {
    const std::optional<media::PackedChunk> chunk = reader.read();
    if (!chunk) break;
    num_frames += chunk->chunk.num_frames();
    num_decoded += chunk->num_decoded_frames;
    num_bytes += chunk->bytes.size();
  }
  facts.obstacle = reader.obstacle();
  if (num_frames > 0) facts.redundancy = static_cast<double>(num_decoded) / static_cast<double>(num_frames);
}

}  // namespace

DecodingPlan plan_decoding(const DecodingFacts& facts) {
  if (facts.wanted == "root") return {false, "--decode root", ""};
  const std::string obstacle = !facts.obstacle.empty() ? facts.obstacle
                               : facts.redundancy > max_redundancy_asked_for
                                   ? "its keyframes are too far apart"
                                   : "";
  if (!obstacle.empty()) {
    DecodingPlan plan{false, concat("workers cannot: ", obstacle), ""};
    if (facts.wanted == "workers")
      plan.warning = concat("decoding happens at the root, not at the workers (", obstacle, ")");
    return plan;
  }
  const std::string times = concat(fixed(facts.redundancy, 2), " frames decoded for each one");
  if (facts.wanted == "workers") {
    DecodingPlan plan{true, times, ""};
    if (facts.redundancy > max_redundancy)
      plan.warning = concat("workers decode ", fixed(facts.redundancy, 1),
                            " frames for each frame of the video (its keyframes are far apart). "
                            "--decode auto would decode at the root");
    return plan;
  }
  if (facts.num_workers < 2) return {false, "one worker", ""};
  return {facts.redundancy <= max_redundancy, times, ""};
}

DecodingPlan plan_decoding(const Job& job, int num_workers) {
  DecodingFacts facts{.wanted = job.config.decode, .num_workers = num_workers, .obstacle = {}};
  if (facts.wanted == "workers" || (facts.wanted == "auto" && num_workers > 1)) survey(job, facts);
  return plan_decoding(facts);
}

}  // namespace atelier::pipeline
