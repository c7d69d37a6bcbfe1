#include "atelier/schedule/chunk_scheduler.h"

#include <algorithm>

namespace atelier::schedule {

void ChunkScheduler::add_credits(int worker, int credits) {
  workers_[worker].credits += credits;
}

std::optional<int> ChunkScheduler::pick(const std::function<bool(int, const Worker&)>& may) const {
  std::optional<int> best;
  int best_credits = 0;
  for (const auto& [rank, worker] : workers_) {
    if (worker.retired || worker.credits <= best_credits || !may(rank, worker)) continue;
    best = rank;
    best_credits = worker.credits;
  }
  return best;
}

std::optional<int> ChunkScheduler::pick_worker(int avoid) const {
  return pick([&](int rank, const Worker&) { return rank != avoid; });
}

std::optional<int> ChunkScheduler::pick_worker_for_new() const {
  const bool any_fast = std::any_of(workers_.begin(), workers_.end(), [&](const auto& entry) {
    return !entry.second.retired && !slow(entry.second);
  });
  return pick([&](int, const Worker& worker) {
    if (!any_fast || !slow(worker)) return true;
    if (worker.num_under_way > 0) return false;
    // The others have about two chunks each to do before they come to the rest.
    return !num_chunks_ || worker.styled_meanwhile <= *num_chunks_ - next_chunk_ + 2 * num_left_workers();
  });
}

std::int64_t ChunkScheduler::num_left_workers() const {
  return std::count_if(workers_.begin(), workers_.end(),
                       [](const auto& entry) { return !entry.second.retired; });
}

bool ChunkScheduler::slow(const Worker& worker) const {
  return worker.styled_meanwhile > 2 * num_left_workers();
}

void ChunkScheduler::take_credit(Worker& worker) {
  --worker.credits;
  if (worker.num_under_way++ == 0) worker.working_since = num_styled_;
}

std::optional<ChunkScheduler::Deal> ChunkScheduler::deal(bool more_chunks) {
  for (auto it = failed_.begin(); it != failed_.end(); ++it) {
    std::optional<int> worker = pick_worker(it->last_worker);
    const bool others_left = std::any_of(workers_.begin(), workers_.end(), [&](const auto& entry) {
      return !entry.second.retired && entry.first != it->last_worker;
    });
    if (!worker && !others_left) worker = pick_worker(-1);
    if (!worker) continue;
    const Deal deal{*worker, it->chunk_index, true};
    failed_.erase(it);
    take_credit(workers_[*worker]);
    ++tries_[deal.chunk_index];
    return deal;
  }
  if (!more_chunks || next_chunk_ >= oldest_unfinished_ + config_.window_chunks) return std::nullopt;
  const std::optional<int> worker = pick_worker_for_new();
  if (!worker) return std::nullopt;
  take_credit(workers_[*worker]);
  tries_[next_chunk_] = 1;
  return Deal{*worker, next_chunk_++, false};
}

void ChunkScheduler::skip() {
  finished(next_chunk_++);
}

void ChunkScheduler::styled(int worker, std::int64_t /*chunk_index*/) {
  Worker& w = workers_[worker];
  ++w.credits;
  --w.num_under_way;
  w.failures_in_a_row = 0;
  ++num_styled_;
  w.styled_meanwhile = num_styled_ - w.working_since;
  w.working_since = num_styled_;
}

void ChunkScheduler::finished(std::int64_t chunk_index) {
  ++num_finished_;
  tries_.erase(chunk_index);
  finished_ahead_.insert(chunk_index);
  while (!finished_ahead_.empty() && *finished_ahead_.begin() == oldest_unfinished_) {
    finished_ahead_.erase(finished_ahead_.begin());
    ++oldest_unfinished_;
  }
}

void ChunkScheduler::rewind(std::int64_t chunk_index) {
  next_chunk_ = oldest_unfinished_ = num_finished_ = chunk_index;
  finished_ahead_.clear();
  failed_.clear();
  tries_.clear();
}

ChunkScheduler::Verdict ChunkScheduler::failed(int worker, std::int64_t chunk_index) {
  Worker& w = workers_[worker];
  ++w.credits;
  --w.num_under_way;
  if (++w.failures_in_a_row >= config_.max_worker_failures) w.retired = true;
  if (tries_[chunk_index] >= config_.max_tries) return Verdict::chunk_hopeless;
  const bool any_left =
      std::any_of(workers_.begin(), workers_.end(), [](const auto& entry) { return !entry.second.retired; });
  if (!any_left) return Verdict::no_worker_left;
  failed_.push_back({chunk_index, worker});
  return Verdict::retry;
}

int ChunkScheduler::num_tries(std::int64_t chunk_index) const {
  const auto it = tries_.find(chunk_index);
  return it == tries_.end() ? 0 : it->second;
}

bool ChunkScheduler::retired(int worker) const {
  const auto it = workers_.find(worker);
  return it != workers_.end() && it->second.retired;
}

}  // namespace atelier::schedule
