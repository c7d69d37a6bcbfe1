#pragma once

#include <functional>

#include "atelier/base/stopwatch.h"
#include "outbox.h"
#include "worker_watch.h"

namespace atelier::pipeline {

struct WorkerGuardConfig {
  bool alone = false;     ///< there are no other processes: it does nothing
  int num_ranks = 1;      ///< of the job, with the root
  double timeout_s = 20;  ///< of WorkerWatchConfig
  /// How often this process was told to continue; may be empty. mpirun says that to all ranks a second before
  /// TERM, and two before KILL.
  std::function<int()> continued = {};
};

/// The root's side of ping and pong: asks the workers for signs of life, lets them know that the root lives,
/// and ends the job when one of them is gone.
class WorkerGuard {
 public:
  WorkerGuard(Outbox& outbox, WorkerGuardConfig config);

  void greeted(int rank, const WorkerHello& hello);
  /// To be told of every message.
  void heard(const transport::Message& message);
  void left(int rank) { watch_.left(rank); }

  /// To be called often, after the messages that have arrived were handled. Throws JobError that names the
  /// workers that are gone, their machines and why.
  void tick();
  /// A TERM signal has come. False while it is not clear whether all workers live; tick() throws if not.
  bool all_live_after_signal();
  /// Before the root does something that may take long: until the next tick no worker waits for it.
  void be_patient();

 private:
  void ping(double patience_s);

  Outbox& outbox_;
  WorkerGuardConfig config_;
  WorkerWatch watch_;
  Stopwatch watch_time_;
  int num_continued_ = 0;
  bool doubted_signal_ = false;
};

/// The worker's side: answers, and tells when the root is gone.
class RootWatch {
 public:
  /// To be told of every message of the root. Whether it is to be answered with pong.
  bool heard(const transport::MessageHeader& header);
  /// Whether the root has been silent for longer than it promised. Until its first ping it may be silent for
  /// an hour.
  bool gone();
  [[nodiscard]] double patience_s() const { return patience_s_; }

 private:
  Stopwatch time_;
  Silence silence_;
  double patience_s_ = 3600;  // 0: for ever
};

/// Seconds that a worker asks for while it builds its engines.
inline constexpr int set_up_patience_s = 900;

}  // namespace atelier::pipeline
