#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "atelier/planning/layout.h"
#include "atelier/planning/measured_rates.h"
#include "atelier/planning/prices.h"
#include "atelier/planning/simulation.h"

namespace atelier::planning {

enum class EncodeAt { automatic, root, workers };

struct PlanRequest {
  std::vector<Layout> layouts = {};
  std::int64_t num_frames = 0;                 ///< 0: as many as the first record has
  std::int64_t chunk_frames = 0;               ///< 0: as in the first record
  EncodeAt encode_at = EncodeAt::automatic;    ///< automatic: where `atelier run` would
  std::optional<double> deadline_s = {};       ///< from the order of the machines to the end of the job
  std::optional<double> evictions_per_h = {};  ///< of one machine; none: as the prices say
};

/// A layout's job. Costs are in the currency of the prices.
struct LayoutPlan {
  Layout layout;
  bool encode_at_workers = false;
  double cold_start_s = 0;
  double job_s = 0;
  double total_s = 0;       ///< both: from no machine to the end of the job
  double frames_per_s = 0;  ///< of the job
  double cost = 0;          ///< of total_s
  double efficiency = 0;    ///< share of the workers' time in the job in which they style, 0 to 1
  std::string limit;        ///< what the job waits for most: a stage, "start and end", "few chunks"
  double limit_use = 0;     ///< share of the job in which it is at work, 0 to 1
  bool meets_deadline = true;
  std::vector<StageUse> stages;
};

/// A chunk length on the chosen layout.
struct ChunkPlan {
  std::int64_t chunk_frames = 0;
  double job_s = 0;            ///< uninterrupted
  double lost_s = 0;           ///< to do again after an eviction, on average
  double expected_s = 0;       ///< with evictions, cold start included
  std::optional<double> cost;  ///< none: evictions come faster than the job gets on
};

/// The measured jobs, predicted from the rates of all of them.
struct JobCheck {
  MeasuredJob job;
  double predicted_s = 0;
};

struct Plan {
  PlanRequest request;  ///< with what it left open
  Prices prices;
  MeasuredRates rates;
  std::vector<JobCheck> checks;
  std::vector<LayoutPlan> layouts;  ///< in the order of the request
  std::size_t chosen = 0;           ///< the cheapest that meets the deadline, else the fastest
  bool deadline_met = true;         ///< by the chosen one
  double evictions_per_h = 0;       ///< of one machine of the chosen layout
  bool on_spot = false;             ///< what evictions cost is reckoned with the spot price
  double restart_s = 0;             ///< after an eviction: a new machine, and the job's start
  std::vector<ChunkPlan> chunk_lengths;
  std::size_t best_chunk_length = 0;  ///< the planned one unless another saves 0.1 %

  double start_anew_cost = 0;  ///< of the chosen layout's machines, from nothing to ready
  double idle_cost_per_h = 0;  ///< of keeping them
};

/// Predicts every layout. Throws UsageError for a layout without a price.
Plan make_plan(const MeasuredRates& rates, const Prices& prices, const PlanRequest& request);

/// What `atelier plan` prints.
std::string text_plan(const Plan& plan);
/// One line a layout, with a header line.
std::string csv_plan(const Plan& plan);

}  // namespace atelier::planning
