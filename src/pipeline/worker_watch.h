#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "atelier/io/owner_mark.h"

namespace atelier::pipeline {

/// Measures another rank's silence. Time in which the listener itself was away, for example waiting for a
/// disk, is not the other's.
class Silence {
 public:
  /// Something came.
  void heard(double now_s) { heard_s_ = now_s; }
  /// To be called often. Seconds without a word.
  double seconds_s(double now_s);

 private:
  static constexpr double away_s = 1;
  double heard_s_ = 0;
  double listened_s_ = 0;
};

struct LostWorkers {
  std::string who;  ///< "rank 3 on node2 is gone", "ranks 3, 4 on node2 and rank 5 on node3 are gone"
  std::string why;  ///< "its process has ended"
};

struct WorkerWatchConfig {
  double timeout_s = 20;  ///< a worker that is silent for so long is gone; 0: silence proves nothing
  double hello_s = 300;   ///< the same for a worker that has not said hello: it may still look for GPUs
  io::ProcessIdentity self = io::this_process();
  std::function<bool(const io::ProcessIdentity&)> runs =
      io::process_runs;  ///< asked for those on this machine
};

/// Which workers still live. It takes the time, in seconds, from its caller and sends nothing itself.
///
/// A worker on the root's machine is gone when its process has ended. Any worker is gone when nothing came
/// from it for the timeout, or for the time that it has asked for. While in doubt (the launcher is about to
/// end all ranks, as it does when one has died), a worker elsewhere is gone when it does not answer at once.
class WorkerWatch {
 public:
  explicit WorkerWatch(WorkerWatchConfig config);

  /// Workers [1, num_ranks) are to say hello.
  void expect(int num_ranks, double now_s);
  /// From now on the worker is watched.
  void greeted(int rank, io::ProcessIdentity process, double now_s);
  /// Any message is a sign of life.
  void heard(int rank, double now_s);
  /// It will be busy for so long and may then say nothing; until its next message.
  void asks_for(int rank, double seconds_s);
  /// It is not watched any more.
  void left(int rank) { workers_.erase(rank); }

  /// Those who are to be asked for a sign of life now; each time some seconds later again.
  std::vector<int> to_ping(double now_s);
  /// The next to_ping gives all.
  void ping_at_once() { next_ping_s_ = 0; }
  /// Asks all, and then settles within a second whether they live.
  void doubt(double now_s);
  [[nodiscard]] bool in_doubt() const { return in_doubt_; }

  /// To be called often, after what has arrived was read.
  std::optional<LostWorkers> lost(double now_s);

 private:
  struct Worker {
    io::ProcessIdentity process;
    bool here = false;  // on the root's machine
    Silence silence;
    double asked_for_s = 0;
    bool doubted = false;  // nothing came since
  };
  std::optional<LostWorkers> mute(double now_s);
  std::optional<LostWorkers> ended_here(double now_s);
  std::optional<LostWorkers> silent(double now_s);
  std::optional<LostWorkers> unanswered(double now_s);

  WorkerWatchConfig config_;
  std::map<int, Worker> workers_;       // by rank
  std::map<int, Silence> not_greeted_;  // by rank
  double next_ping_s_ = 0;
  double next_look_s_ = 0;
  bool in_doubt_ = false;
  double doubt_s_ = 0;  // of this watch's own attention
  double last_s_ = 0;
};

}  // namespace atelier::pipeline
