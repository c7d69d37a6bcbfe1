#include "worker_guard.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "atelier/base/error.h"

namespace atelier::pipeline {
namespace {

constexpr double long_work_s = 3600;

}  // namespace

WorkerGuard::WorkerGuard(Outbox& outbox, WorkerGuardConfig config)
    : outbox_(outbox), config_(std::move(config)), watch_(WorkerWatchConfig{.timeout_s = config_.timeout_s}) {
  if (config_.continued) num_continued_ = config_.continued();
  if (!config_.alone) watch_.expect(config_.num_ranks, watch_time_.seconds_s());
}

void WorkerGuard::greeted(int rank, const WorkerHello& hello) {
  if (!config_.alone) watch_.greeted(rank, hello.process, watch_time_.seconds_s());
}

void WorkerGuard::heard(const transport::Message& message) {
  watch_.heard(message.from, watch_time_.seconds_s());
  if (static_cast<MessageKind>(message.header.kind) == MessageKind::pong && message.header.flags > 0)
    watch_.asks_for(message.from, message.header.flags);
}

void WorkerGuard::tick() {
  if (config_.alone) return;
  const double now_s = watch_time_.seconds_s();
  if (config_.continued && config_.continued() != num_continued_) {
    num_continued_ = config_.continued();
    watch_.doubt(now_s);
  }
  ping(config_.timeout_s);
  if (const auto lost = watch_.lost(now_s))
    throw JobError(lost->who, lost->why, "Run the same command again: it goes on from what is stored");
}

bool WorkerGuard::all_live_after_signal() {
  if (config_.alone) return true;
  if (!doubted_signal_) watch_.doubt(watch_time_.seconds_s());
  doubted_signal_ = true;
  return !watch_.in_doubt();
}

void WorkerGuard::be_patient() {
  if (config_.alone) return;
  watch_.ping_at_once();
  ping(config_.timeout_s > 0 ? std::max(long_work_s, config_.timeout_s) : 0);
  watch_.ping_at_once();
}

void WorkerGuard::ping(double patience_s) {
  for (const int rank : watch_.to_ping(watch_time_.seconds_s()))
    outbox_.send(rank, MessageKind::ping, {.flags = static_cast<std::int32_t>(std::ceil(patience_s))});
}

bool RootWatch::heard(const transport::MessageHeader& header) {
  silence_.heard(time_.seconds_s());
  if (static_cast<MessageKind>(header.kind) != MessageKind::ping) return false;
  patience_s_ = header.flags;
  return true;
}

bool RootWatch::gone() {
  const double silence_s = silence_.seconds_s(time_.seconds_s());
  return patience_s_ > 0 && silence_s > patience_s_;
}

}  // namespace atelier::pipeline
