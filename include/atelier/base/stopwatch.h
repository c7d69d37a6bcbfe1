#pragma once

#include <chrono>
#include <string>

namespace atelier {

/// Seconds on a monotonic clock since construction or the last restart.
class Stopwatch {
 public:
  Stopwatch() : start_(Clock::now()) {}

  [[nodiscard]] double seconds_s() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
  }

  /// Seconds so far, and starts again from zero.
  double restart_s() {
    const auto now = Clock::now();
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    start_ = now;
    return elapsed;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_;
};

/// CPU seconds that the calling thread has used.
double thread_cpu_seconds_s();

/// CPU seconds, user and system, that all threads of this process have used.
double process_cpu_seconds_s();

/// Seconds since the Unix epoch, for records and logs.
double wall_clock_s();

/// UTC as "2026-01-31T12:34:56Z".
std::string utc_text(double wall_clock_seconds_s);

}  // namespace atelier
