#pragma once

#include <string>

namespace atelier::pipeline {

struct Job;

/// Where a job decodes, and why.
struct DecodingPlan {
  bool at_workers = false;
  std::string why;      ///< a clause: what spoke against or for it
  std::string warning;  ///< a sentence for whoever asked for something else; empty: none
};

struct DecodingFacts {
  std::string wanted = "auto";  ///< auto, root, workers
  int num_workers = 1;
  std::string obstacle;   ///< why packets do not tell the frames; empty: they do
  double redundancy = 1;  ///< frames that workers would decode for each frame of the video
};

/// Above it `auto` decodes at the root.
inline constexpr double max_redundancy = 1.5;
/// Above it `workers` does too.
inline constexpr double max_redundancy_asked_for = 20;

/// Pure.
DecodingPlan plan_decoding(const DecodingFacts& facts);

/// The facts of a job, from the first packets of its video, and the plan.
DecodingPlan plan_decoding(const Job& job, int num_workers);

}  // namespace atelier::pipeline
