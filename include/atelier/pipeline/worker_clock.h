#pragma once

#include <algorithm>
#include <optional>

namespace atelier::pipeline {

/// What a worker's clock says, in seconds after the job's start.
///
/// Clocks of machines have nothing to do with one another, so a worker tells with some messages what its
/// clock said as it sent them. The difference to their arrival at the root is the offset of the clocks and
/// the time under way; the least difference seen is the best estimate, and places the worker's times too late
/// by as much as that fastest message was under way. Clocks also drift apart: the estimate may grow by 0.1 ms
/// a second until a message corrects it. All times of one message are moved alike: order and distances
/// stay.
class WorkerClock {
 public:
  /// A message that left at sent_s by the worker's clock has arrived at arrived_s by the job's.
  void heard(double sent_s, double arrived_s) {
    const double difference_s = arrived_s - sent_s;
    offset_s_ = offset_s_ ? std::min(difference_s, *offset_s_ + max_drift * (arrived_s - last_arrived_s_))
                          : difference_s;
    last_arrived_s_ = arrived_s;
  }
  /// A time of the worker, by the job's clock.
  [[nodiscard]] double job_s(double worker_s) const { return worker_s + offset_s_.value_or(0); }

 private:
  static constexpr double max_drift = 1e-4;
  std::optional<double> offset_s_;
  double last_arrived_s_ = 0;
};

}  // namespace atelier::pipeline
