#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <thread>
#include <utility>

#include "atelier/pipeline/protocol.h"
#include "atelier/transport/communicator.h"

namespace atelier::pipeline {

/// Sends under way. One thread uses it.
class Outbox {
 public:
  explicit Outbox(transport::Communicator& communicator) : communicator_(communicator) {}

  void send(transport::Rank to, MessageKind kind, transport::MessageHeader header = {}, Buffer payload = {}) {
    header.kind = static_cast<std::int32_t>(kind);
    const std::size_t bytes = payload.size();
    transport::Transfer transfer = communicator_.send(to, header, std::move(payload));
    under_way_[to].push_back({std::move(transfer), bytes});
    bytes_ += bytes;
  }

  /// Lets go of what has left. Whether anything had. Looks at some ranks only, at others the next time:
  /// asking about each of many messages would cost more than sending them.
  bool retire() {
    constexpr std::size_t max_ranks = 16;
    const std::size_t num_ranks = std::min(max_ranks, under_way_.size());
    bool any = false;
    for (std::size_t i = 0; i < num_ranks; ++i) {
      auto next = under_way_.upper_bound(last_rank_);
      if (next == under_way_.end()) next = under_way_.begin();
      last_rank_ = next->first;
      std::deque<Entry>& entries = next->second;
      while (!entries.empty() && entries.front().transfer.done()) {
        bytes_ -= entries.front().bytes;
        entries.pop_front();
        any = true;
      }
      if (entries.empty()) under_way_.erase(next);
    }
    return any;
  }

  /// Waits until all has left, but no longer than the limit. Messages that arrive meanwhile stay unread.
  void drain(double limit_s = 10) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(limit_s);
    while (!under_way_.empty() && std::chrono::steady_clock::now() < end) {
      if (!retire()) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return under_way_.empty(); }

 private:
  struct Entry {
    transport::Transfer transfer;
    std::size_t bytes;
  };
  transport::Communicator& communicator_;
  std::map<transport::Rank, std::deque<Entry>> under_way_;  // what goes to a rank leaves in its order
  transport::Rank last_rank_ = -1;                          // that retire has looked at
  std::size_t bytes_ = 0;
};

/// How the one thread that talks to others waits: it spins while something moves, gives way to other
/// processes while a message is arriving, and sleeps longer and longer, up to a limit, while nothing does.
class Idle {
 public:
  using Microseconds = std::chrono::microseconds;
  static constexpr Microseconds default_limit{1000};

  explicit Idle(Microseconds limit = default_limit) : limit_(limit) {}

  /// How long to wait before looking again. busy: something has moved; receiving: something is about to.
  Microseconds next(bool busy, bool receiving = false) {
    if (busy || (receiving && num_yields_ < max_yields)) {
      num_yields_ = busy ? 0 : num_yields_ + 1;
      wait_ = {};
      if (!busy) std::this_thread::yield();
      return wait_;
    }
    const Microseconds shortest = std::max<Microseconds>(Microseconds(20), limit_ / 8);
    wait_ = receiving ? Microseconds(20) : std::clamp(2 * wait_, shortest, limit_);
    return wait_;
  }

  void wait_unless(bool busy, bool receiving = false) {
    if (const Microseconds wait = next(busy, receiving); wait.count() > 0) std::this_thread::sleep_for(wait);
  }

 private:
  static constexpr int max_yields = 100;
  Microseconds limit_;
  Microseconds wait_{0};
  int num_yields_ = 0;
};

/// The limit for one of many processes on a machine: together they look for messages some thousand times a
/// second and core, however many they are.
inline Idle::Microseconds idle_limit(int num_processes, int num_cores) {
  constexpr int processes_per_core = 2;
  return Idle::default_limit *
         std::clamp(num_processes / (processes_per_core * std::max(1, num_cores)), 1, 16);
}

}  // namespace atelier::pipeline
