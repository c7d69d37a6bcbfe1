#include "atelier/planning/plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/frame/chunk.h"

namespace atelier::planning {
namespace {

// A longer job goes on as it did between these: its queues have long been full.
constexpr std::int64_t simulated_frames = 100'000;
constexpr std::int64_t simulated_chunks = 1'000;
constexpr std::int64_t simulated_chunks_per_worker = 40;

// The whole job, or what two shorter ones say about it.
Simulation simulate_any(const JobModel& model) {
  const auto num_workers = static_cast<std::int64_t>(model.worker_ready_s.size());
  const std::int64_t num_chunks = std::max(simulated_chunks, simulated_chunks_per_worker * num_workers);
  const std::int64_t longest = std::max(simulated_frames, num_chunks * model.chunk_frames);
  if (model.num_frames <= longest) return simulate(model);
  // Both and what is left out are whole chunks, but for the last one of the job.
  const std::int64_t half = longest / 2 / model.chunk_frames * model.chunk_frames;
  const std::int64_t rest = (model.num_frames - half) / half * half;
  JobModel shorter = model;
  shorter.num_frames = model.num_frames - rest;
  JobModel longer = model;
  longer.num_frames = shorter.num_frames + half;
  const Simulation a = simulate(shorter);
  Simulation b = simulate(longer);
  const double more = static_cast<double>(rest - half) / static_cast<double>(half);
  b.wall_s += more * (b.wall_s - a.wall_s);
  b.last_stored_s += more * (b.last_stored_s - a.last_stored_s);
  for (std::size_t i = 0; i < b.stages.size(); ++i)
    b.stages[i].busy_s += more * (b.stages[i].busy_s - a.stages[i].busy_s);
  return b;
}

double use_of(const StageUse& stage, double wall_s) {
  return wall_s > 0 ? stage.busy_s / stage.num_lanes / wall_s : 0;
}

class Planner {
 public:
  Planner(const MeasuredRates& rates, const Prices& prices, const PlanRequest& request) {
    plan_.rates = rates;
    plan_.prices = prices;
    plan_.request = request;
    const MeasuredJob& first = rates.jobs.front();
    if (plan_.request.num_frames == 0) plan_.request.num_frames = first.num_frames;
    if (plan_.request.chunk_frames == 0) plan_.request.chunk_frames = first.chunk_frames;
  }

  Plan make() {
    for (const Layout& layout : plan_.request.layouts) static_cast<void>(plan_.prices.machine_for(layout));
    for (const MeasuredJob& job : plan_.rates.jobs) check(job);
    for (const Layout& layout : plan_.request.layouts) plan_.layouts.push_back(plan_layout(layout));
    choose();
    plan_chunk_lengths();
    plan_gaps();
    return std::move(plan_);
  }

 private:
  [[nodiscard]] bool encode_at_workers(const Layout& layout) const {
    if (plan_.request.encode_at != EncodeAt::automatic) return plan_.request.encode_at == EncodeAt::workers;
    return layout.num_workers() > 1;
  }

  // What decides is the video, and only jobs with several workers tell.
  [[nodiscard]] bool decode_at_workers(const Layout& layout) const {
    return layout.num_workers() > 1 && std::ranges::any_of(plan_.rates.jobs, [](const MeasuredJob& job) {
             return job.layout.num_workers() > 1 && job.decode_at_workers;
           });
  }

  [[nodiscard]] JobModel model(const Layout& layout, std::int64_t chunk_frames) const {
    const MachinePrice& machine = plan_.prices.machine_for(layout);
    return job_model(plan_.rates, {.layout = layout,
                                   .num_frames = plan_.request.num_frames,
                                   .chunk_frames = chunk_frames,
                                   .encode_at_workers = encode_at_workers(layout),
                                   .decode_at_workers = decode_at_workers(layout),
                                   .network_bytes_per_s = machine.network_gbit_s.value_or(0) * 1e9 / 8});
  }

  void check(const MeasuredJob& job) {
    if (!job.whole) return;
    const JobModel model = job_model(plan_.rates, {.layout = job.layout,
                                                   .num_frames = job.num_frames,
                                                   .chunk_frames = job.chunk_frames,
                                                   .encode_at_workers = job.encode_at_workers,
                                                   .decode_at_workers = job.decode_at_workers});
    plan_.checks.push_back({job, simulate_any(model).wall_s});
  }

  LayoutPlan plan_layout(const Layout& layout) const {
    const JobModel job = model(layout, plan_.request.chunk_frames);
    Simulation simulation = simulate_any(job);
    LayoutPlan result;
    result.layout = layout;
    result.encode_at_workers = job.encode_at_workers;
    result.cold_start_s = plan_.prices.cold_start_s;
    result.job_s = simulation.wall_s;
    result.total_s = result.cold_start_s + result.job_s;
    result.frames_per_s = result.job_s > 0 ? static_cast<double>(job.num_frames) / result.job_s : 0;
    result.cost = plan_.prices.cost(layout, result.total_s);
    result.stages = std::move(simulation.stages);
    find_limit(result, job, simulation.last_stored_s);
    result.meets_deadline = !plan_.request.deadline_s || result.total_s <= *plan_.request.deadline_s;
    return result;
  }

  static void find_limit(LayoutPlan& result, const JobModel& job, double last_stored_s) {
    if (result.job_s <= 0) return;
    const double around_s = job.startup_s + (result.job_s - last_stored_s);
    result.limit = "start and end";
    result.limit_use = around_s / result.job_s;
    for (const StageUse& stage : result.stages) {
      const double use = use_of(stage, result.job_s);
      if (stage.name == "style") result.efficiency = use;
      if (use <= result.limit_use) continue;
      result.limit = stage.name;
      result.limit_use = use;
    }
    // Nobody is busy: the last chunks, of which some workers have one and others none, make the time.
    constexpr double busy = 0.7;
    constexpr double chunks_per_lane = 4;
    const auto num_chunks =
        std::ceil(static_cast<double>(job.num_frames) / static_cast<double>(job.chunk_frames));
    const auto num_workers = static_cast<double>(job.worker_ready_s.size());
    if (result.limit_use < busy && result.limit != "start and end" &&
        num_chunks < chunks_per_lane * num_workers)
      result.limit = "few chunks";
  }

  void choose() {
    const std::vector<LayoutPlan>& all = plan_.layouts;
    const auto cheaper = [](const LayoutPlan& a, const LayoutPlan& b) {
      return std::pair(a.cost, a.total_s) < std::pair(b.cost, b.total_s);
    };
    std::size_t chosen = all.size();
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i].meets_deadline && (chosen == all.size() || cheaper(all[i], all[chosen]))) chosen = i;
    plan_.deadline_met = chosen < all.size();
    if (!plan_.deadline_met) {
      const auto fastest = std::ranges::min_element(all, {}, &LayoutPlan::total_s);
      chosen = static_cast<std::size_t>(fastest - all.begin());
    }
    plan_.chosen = chosen;
  }

  // Evictions at a rate that does not change, as often as machines there are: the time until the job's end is
  // what it takes undisturbed, and for every eviction within it what is lost and a new start.
  void plan_chunk_lengths() {
    const LayoutPlan& chosen = plan_.layouts[plan_.chosen];
    const MachinePrice& machine = plan_.prices.machine_for(chosen.layout);
    plan_.evictions_per_h = plan_.request.evictions_per_h.value_or(machine.spot_evictions_per_h);
    plan_.on_spot = machine.spot_price_per_h.has_value() && plan_.evictions_per_h > 0;
    const double price_per_h = plan_.on_spot ? *machine.spot_price_per_h : machine.price_per_h;
    const double evictions_per_s = plan_.evictions_per_h * chosen.layout.num_machines / 3600;
    plan_.restart_s = plan_.prices.cold_start_s + plan_.rates.startup.at(chosen.layout.num_workers());
    for (const std::int64_t chunk_frames : chunk_lengths()) {
      const JobModel job = model(chosen.layout, chunk_frames);
      const Simulation simulation = simulate_any(job);
      ChunkPlan length;
      length.chunk_frames = chunk_frames;
      length.job_s = simulation.wall_s;
      const double working_s = simulation.last_stored_s - job.startup_s;
      length.lost_s = simulation.mean_unstored_frames * working_s / static_cast<double>(job.num_frames);
      const double gained = 1 - evictions_per_s * (length.lost_s + plan_.restart_s);
      if (gained > 0) {
        length.expected_s = plan_.prices.cold_start_s + length.job_s / gained;
        length.cost = plan_.prices.cost(chosen.layout, length.expected_s, price_per_h);
      }
      plan_.chunk_lengths.push_back(length);
    }
    choose_chunk_length();
  }

  void choose_chunk_length() {
    constexpr double too_little = 1e-3;
    const auto better = [](const ChunkPlan& a, const ChunkPlan& b, double at_least) {
      if (a.cost.has_value() != b.cost.has_value()) return a.cost.has_value();
      return a.cost && a.expected_s < b.expected_s * (1 - at_least);
    };
    const std::vector<ChunkPlan>& all = plan_.chunk_lengths;
    const auto planned = std::ranges::find(all, plan_.request.chunk_frames, &ChunkPlan::chunk_frames);
    auto best = std::ranges::min_element(
        all, [&](const ChunkPlan& a, const ChunkPlan& b) { return better(a, b, 0); });
    if (!better(*best, *planned, too_little)) best = planned;
    plan_.best_chunk_length = static_cast<std::size_t>(best - all.begin());
  }

  [[nodiscard]] std::vector<std::int64_t> chunk_lengths() const {
    std::vector<std::int64_t> lengths = {plan_.request.chunk_frames};
    const auto longest =
        static_cast<std::int64_t>(static_cast<std::size_t>(max_chunk_bytes) / plan_.rates.frame_bytes);
    for (const std::int64_t length : {6, 12, 24, 48, 96, 192, 384}) {
      if (length <= std::max<std::int64_t>(1, longest) && length < 2 * plan_.request.num_frames)
        lengths.push_back(length);
    }
    std::ranges::sort(lengths);
    lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
    return lengths;
  }

  void plan_gaps() {
    const Layout& layout = plan_.layouts[plan_.chosen].layout;
    plan_.start_anew_cost = plan_.prices.cost(layout, plan_.prices.cold_start_s);
    plan_.idle_cost_per_h = layout.num_machines * plan_.prices.machine_for(layout).idle_price_per_h();
  }

  Plan plan_;
};

}  // namespace

Plan make_plan(const MeasuredRates& rates, const Prices& prices, const PlanRequest& request) {
  if (request.layouts.empty()) throw UsageError("no layout is named", "a list such as 1x1,1x4,2x4 is needed");
  return Planner(rates, prices, request).make();
}

}  // namespace atelier::planning
