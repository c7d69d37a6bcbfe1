#include "worker_watch.h"

#include <algorithm>
#include <utility>

#include "atelier/base/text.h"

namespace atelier::pipeline {
namespace {

constexpr double ping_interval_s = 2;
constexpr double look_interval_s = 0.5;
constexpr double answer_s = 0.6;      // mpirun kills all ranks a second after TERM
constexpr double attention_s = 0.25;  // that one look at the messages counts at most

using RanksByHost = std::map<std::string, std::vector<int>>;

std::string name_of(const std::vector<int>& ranks) {
  std::vector<std::string> texts;
  for (const int rank : ranks) texts.push_back(std::to_string(rank));
  return concat(ranks.size() == 1 ? "rank " : "ranks ", join(texts, ", "));
}

std::optional<LostWorkers> lost_workers(const RanksByHost& ranks_by_host, const std::string& why) {
  if (ranks_by_host.empty()) return std::nullopt;
  std::vector<std::string> parts;
  std::size_t number = 0;
  for (const auto& [host, ranks] : ranks_by_host) {
    parts.push_back(concat(name_of(ranks), " on ", host));
    number += ranks.size();
  }
  return LostWorkers{concat(join(parts, " and "), number == 1 ? " is gone" : " are gone"), why};
}

}  // namespace

double Silence::seconds_s(double now_s) {
  if (now_s - listened_s_ > away_s) heard_s_ += now_s - std::max(listened_s_, heard_s_);
  listened_s_ = now_s;
  return now_s - heard_s_;
}

WorkerWatch::WorkerWatch(WorkerWatchConfig config) : config_(std::move(config)) {}

void WorkerWatch::expect(int num_ranks, double now_s) {
  for (int rank = 1; rank < num_ranks; ++rank) not_greeted_[rank].heard(now_s);
}

void WorkerWatch::greeted(int rank, io::ProcessIdentity process, double now_s) {
  not_greeted_.erase(rank);
  Worker& worker = workers_[rank];
  worker.here = process.shares_processes_with(config_.self);
  worker.process = std::move(process);
  worker.silence.heard(now_s);
}

void WorkerWatch::heard(int rank, double now_s) {
  const auto it = workers_.find(rank);
  if (it == workers_.end()) return;
  it->second.silence.heard(now_s);
  it->second.asked_for_s = 0;
  it->second.doubted = false;
}

void WorkerWatch::asks_for(int rank, double seconds_s) {
  const auto it = workers_.find(rank);
  if (it != workers_.end()) it->second.asked_for_s = seconds_s;
}

std::vector<int> WorkerWatch::to_ping(double now_s) {
  std::vector<int> ranks;
  if (now_s < next_ping_s_) return ranks;
  next_ping_s_ =
      now_s + (config_.timeout_s > 0 ? std::min(ping_interval_s, config_.timeout_s / 4) : ping_interval_s);
  for (const auto& [rank, worker] : workers_) ranks.push_back(rank);
  return ranks;
}

void WorkerWatch::doubt(double now_s) {
  if (in_doubt_) return;
  in_doubt_ = true;
  doubt_s_ = 0;
  last_s_ = now_s;
  next_ping_s_ = 0;
  next_look_s_ = 0;
  for (auto& [rank, worker] : workers_) worker.doubted = !worker.here && worker.asked_for_s == 0;
}

std::optional<LostWorkers> WorkerWatch::lost(double now_s) {
  std::optional<LostWorkers> lost = ended_here(now_s);
  if (!lost) lost = silent(now_s);
  if (!lost) lost = unanswered(now_s);
  if (!lost) lost = mute(now_s);
  return lost;
}

// Nobody gets work before all have said hello.
std::optional<LostWorkers> WorkerWatch::mute(double now_s) {
  const double limit_s = std::max(config_.timeout_s, config_.hello_s);
  std::vector<int> ranks;
  for (auto& [rank, silence] : not_greeted_)
    if (silence.seconds_s(now_s) > limit_s) ranks.push_back(rank);
  if (ranks.empty() || config_.timeout_s <= 0) return std::nullopt;
  return LostWorkers{concat(name_of(ranks), ranks.size() == 1 ? " is gone" : " are gone"),
                     concat("not a word came since the start, ", fixed(limit_s, 0), " s ago")};
}

std::optional<LostWorkers> WorkerWatch::ended_here(double now_s) {
  if (now_s < next_look_s_) return std::nullopt;
  next_look_s_ = now_s + look_interval_s;
  RanksByHost gone;
  for (const auto& [rank, worker] : workers_)
    if (worker.here && !config_.runs(worker.process)) gone[worker.process.host].push_back(rank);
  return lost_workers(gone, "its process has ended");
}

// Those that are silent for half the time count too where another one of their machine is gone: a machine
// that is cut off is named once, with all its ranks.
std::optional<LostWorkers> WorkerWatch::silent(double now_s) {
  RanksByHost gone;
  RanksByHost maybe;
  double longest_s = 0;
  for (auto& [rank, worker] : workers_) {
    const double silence_s = worker.silence.seconds_s(now_s);
    const double limit_s = std::max(config_.timeout_s, worker.asked_for_s);
    if (config_.timeout_s > 0 && silence_s > limit_s) {
      gone[worker.process.host].push_back(rank);
      longest_s = std::max(longest_s, silence_s);
    }
    if (silence_s > limit_s / 2) maybe[worker.process.host].push_back(rank);
  }
  for (auto& [host, ranks] : gone) ranks = maybe.at(host);
  return lost_workers(gone, concat("nothing was heard for ", fixed(longest_s, 0), " s"));
}

std::optional<LostWorkers> WorkerWatch::unanswered(double now_s) {
  if (!in_doubt_) return std::nullopt;
  doubt_s_ += std::min(now_s - std::exchange(last_s_, now_s), attention_s);
  RanksByHost gone;
  for (const auto& [rank, worker] : workers_)
    if (worker.doubted) gone[worker.process.host].push_back(rank);
  if (!gone.empty() && doubt_s_ < answer_s) return std::nullopt;
  in_doubt_ = false;
  return lost_workers(gone, "no answer, and the launcher ends the job");
}

}  // namespace atelier::pipeline
