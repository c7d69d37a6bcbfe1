#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
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
    under_way_.push_back({communicator_.send(to, header, std::move(payload)), bytes});
    bytes_ += bytes;
  }

  /// Lets go of what has left. Whether anything had.
  bool retire() {
    const std::size_t before = under_way_.size();
    std::erase_if(under_way_, [this](Entry& entry) {
      if (!entry.transfer.done()) return false;
      bytes_ -= entry.bytes;
      return true;
    });
    return under_way_.size() != before;
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
  std::deque<Entry> under_way_;
  std::size_t bytes_ = 0;
};

/// How the one thread that talks to others waits: it spins while something moves, and sleeps longer and
/// longer, up to 1 ms, while nothing does.
class Idle {
 public:
  void wait_unless(bool busy) {
    if (busy) {
      sleep_us_ = 0;
      return;
    }
    sleep_us_ = std::min(1000, sleep_us_ == 0 ? 20 : sleep_us_ * 2);
    std::this_thread::sleep_for(std::chrono::microseconds(sleep_us_));
  }

 private:
  int sleep_us_ = 0;
};

}  // namespace atelier::pipeline
