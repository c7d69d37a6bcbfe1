#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace atelier::media {

/// What had to be corrected so far. Places are corrected times, in nanoseconds.
struct ClockChanges {
  std::int64_t num_new_clocks = 0;
  std::int64_t first_new_clock_ns = 0;  ///< where the first one goes on
  std::int64_t first_step_ns = 0;       ///< by how much its times are moved
  std::int64_t num_bad_times = 0;  ///< packets with a time that neither those before nor those after share
  std::int64_t first_bad_time_ns = 0;
  int first_bad_stream = -1;

  [[nodiscard]] bool any() const { return num_new_clocks > 0 || num_bad_times > 0; }
};

/// Brings the packets of an input whose clock begins anew (recordings that were joined, a transmitter that
/// restarts) to one clock, all streams alike. Pure: decoding times in file order, nothing else.
///
/// A time that does not follow the one before in its stream is judged by those that come after it in that
/// stream: they go on from it (a new clock, or a gap, which stays), or from where the stream was (one bad
/// time, which is replaced). A new clock begins where the picture goes on regularly, or later as far as
/// another stream's packets would otherwise go back. Streams change to it one by one, each at the packet that
/// fits the new clock and not the old one: around a joint the container mixes packets of both.
class InputClock {
 public:
  static constexpr std::int64_t no_time = INT64_MIN;

  /// No time may be further from zero: some 4 years.
  static constexpr std::int64_t max_time_ns = std::int64_t{1} << 57;

  /// A packet; times are those of the file, in nanoseconds.
  struct Stamp {
    int stream = 0;
    std::int64_t dts_ns = no_time;
    std::int64_t pts_ns = no_time;
    std::int64_t duration_ns = 0;  ///< 0: unknown
    bool is_steady = true;         ///< sound or pictures without end: such streams are judged
    bool is_video = false;
    bool is_key = false;
    std::int64_t wrap_ns = 0;  ///< where the container's counter begins at zero again; 0: never
  };
  /// To be added to the packet's times.
  struct Shift {
    std::int64_t dts_ns = 0;
    std::int64_t pts_ns = 0;
  };

  /// picture_stream: the one that goes on regularly.
  explicit InputClock(int picture_stream) : picture_stream_(picture_stream) {}

  /// The next packet in the file's order.
  void add(const Stamp& stamp) { queue_.push_back(stamp); }
  /// Of the oldest packet that was added and not yet given out; nullopt: more must be added first. no_more:
  /// none will come, or enough did.
  std::optional<Shift> pop(bool no_more);
  [[nodiscard]] const ClockChanges& changes() const { return changes_; }

 private:
  struct Clock {
    std::int64_t offset_ns = 0;  ///< added to the times of the file
    std::int64_t begin_ns = 0;   ///< corrected
  };
  struct Track {
    std::size_t clock = 0;
    std::optional<std::int64_t> last_ns;  ///< dts, corrected
    std::int64_t step_ns = 1;             ///< between two dts
    std::int64_t max_pts_ns = no_time;    ///< corrected
    std::int64_t max_delay_ns = 0;        ///< of pts behind dts

    [[nodiscard]] std::int64_t end_ns() const { return *last_ns + step_ns; }
  };
  enum class Verdict { fits, bad, new_clock, unknown };
  struct Judgement {
    Verdict verdict = Verdict::fits;
    std::size_t clock = 0;
  };
  struct Joint {
    bool is_known = false;  ///< false: more packets may tell
    std::optional<std::int64_t> offset_ns;
    std::int64_t dts_ns = 0;    ///< of the file
    std::int64_t shown_ns = 0;  ///< the first pts, of the file
    std::int64_t last_ns = 0;   ///< before it, corrected
    std::int64_t end_ns = 0;
  };

  [[nodiscard]] Judgement judge(const Track& track, std::size_t at, bool no_more) const;
  [[nodiscard]] std::size_t fitting_clock(const Track& track, const Stamp& stamp) const;
  [[nodiscard]] std::size_t nearest_clock(const Track& track, const Stamp& stamp) const;
  [[nodiscard]] std::vector<std::int64_t> followers(std::size_t at) const;
  [[nodiscard]] Verdict judge_first(std::size_t at, bool no_more) const;
  [[nodiscard]] bool is_repeated(const Track& track, std::size_t at, std::int64_t offset_ns) const;
  [[nodiscard]] Joint find_joint(int stream, bool no_more) const;
  [[nodiscard]] Joint joint_at(const Track& track, std::size_t at) const;
  bool begin_clock(int stream, bool no_more);
  static void note_duration(Track& track, const Stamp& stamp);
  void accept(Track& track, const Stamp& stamp) const;
  Shift replace(Track& track, std::size_t at) const;

  int picture_stream_;
  std::deque<Stamp> queue_;
  std::vector<Clock> clocks_{Clock{}};
  std::map<int, Track> tracks_;
  ClockChanges changes_;
};

}  // namespace atelier::media
