#include "input_clock.h"

#include <algorithm>
#include <cstdlib>

namespace atelier::media {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

/// A step forward up to this, or two packets, is no gap.
constexpr std::int64_t max_regular_ns = second_ns / 10;

/// Decoding times of video may go back by as much where a demuxer had to guess them.
constexpr std::int64_t max_guess_error_ns = 3 * second_ns / 10;

/// A gap longer than this at the wrap of the counter is another clock that FFmpeg took for a wrap.
constexpr std::int64_t max_wrap_gap_ns = 10 * second_ns;

/// No presentation lies further behind its decoding time, beside 16 frames.
constexpr std::int64_t max_delay_ns = second_ns;

/// Packets of two clocks are mixed for no longer than this, and a stream that ended by as much is not waited
/// for.
constexpr std::int64_t max_mixed_ns = 2 * second_ns;

/// A packet that claims to last longer is not believed.
constexpr std::int64_t max_duration_ns = 60 * second_ns;

/// Sums of times stay far below 2^63.
constexpr std::int64_t max_offset_ns = 4 * InputClock::max_time_ns;

/// So many packets tell whether a time is bad.
constexpr std::size_t num_followers = 8;

std::int64_t distance(std::int64_t a, std::int64_t b) {
  return a > b ? a - b : b - a;
}

/// How often the counter has wrapped, from some start.
std::int64_t wraps(std::int64_t time_ns, std::int64_t wrap_ns) {
  return time_ns >= 0 ? time_ns / wrap_ns : -1 - (-1 - time_ns) / wrap_ns;
}

}  // namespace

std::vector<std::int64_t> InputClock::followers(std::size_t at) const {
  std::vector<std::int64_t> found;
  for (std::size_t i = at + 1; i < queue_.size() && found.size() < num_followers; ++i)
    if (queue_[i].stream == queue_[at].stream && queue_[i].dts_ns != no_time)
      found.push_back(queue_[i].dts_ns);
  return found;
}

std::size_t InputClock::nearest_clock(const Track& track, const Stamp& stamp) const {
  const auto picture = tracks_.find(picture_stream_);
  const std::int64_t time_ns = stamp.dts_ns != no_time ? stamp.dts_ns : stamp.pts_ns;
  if (picture == tracks_.end() || !picture->second.last_ns || time_ns == no_time) return track.clock;
  const auto error = [&](std::size_t clock) {
    return distance(time_ns + clocks_[clock].offset_ns, *picture->second.last_ns);
  };
  std::size_t best = track.clock;
  for (std::size_t clock = track.clock + 1; clock < clocks_.size(); ++clock)
    if (error(clock) <= error(best)) best = clock;
  return best;
}

/// The clock of a packet that is irregular on its stream's own.
std::size_t InputClock::fitting_clock(const Track& track, const Stamp& stamp) const {
  const std::size_t newest = clocks_.size() - 1;
  if (track.clock == newest) return newest;
  const std::int64_t old_ns = stamp.dts_ns + clocks_[track.clock].offset_ns;
  const std::int64_t new_ns = stamp.dts_ns + clocks_[newest].offset_ns;
  const bool is_mixed = *track.last_ns < clocks_[newest].begin_ns + max_mixed_ns;
  const bool is_nearer = distance(new_ns, track.end_ns()) < distance(old_ns, track.end_ns());
  if (old_ns > *track.last_ns)
    return is_nearer || (!is_mixed && new_ns > *track.last_ns) ? newest : track.clock;
  return new_ns > *track.last_ns || is_nearer ? newest : track.clock;
}

/// The first of a stream: nothing but what follows can speak against it.
InputClock::Verdict InputClock::judge_first(std::size_t at, bool no_more) const {
  const std::vector<std::int64_t> next = followers(at);
  if (next.empty()) return no_more ? Verdict::fits : Verdict::unknown;
  if (next.front() >= queue_[at].dts_ns) return Verdict::fits;
  if (next.size() < num_followers && !no_more) return Verdict::unknown;
  const auto num_before =
      std::count_if(next.begin(), next.end(), [&](std::int64_t ns) { return ns < queue_[at].dts_ns; });
  return 2 * num_before > static_cast<std::ptrdiff_t>(next.size()) && next.size() > 1 ? Verdict::bad
                                                                                      : Verdict::fits;
}

/// True for a keyframe shown before what is decoded before it, with successors just as regular: no demuxer
/// guesses that.
bool InputClock::is_repeated(const Track& track, std::size_t at, std::int64_t offset_ns) const {
  const Stamp& stamp = queue_[at];
  if (!stamp.is_video || !stamp.is_key || stamp.pts_ns == no_time || track.max_pts_ns == no_time ||
      stamp.pts_ns + offset_ns > track.max_pts_ns)
    return false;
  const std::vector<std::int64_t> next = followers(at);
  std::int64_t due_ns = stamp.dts_ns;
  return next.size() >= num_followers / 2 && std::all_of(next.begin(), next.end(), [&](std::int64_t ns) {
           return distance(ns, due_ns += track.step_ns) <= track.step_ns / 4;
         });
}

InputClock::Judgement InputClock::judge(const Track& track, std::size_t at, bool no_more) const {
  const Stamp& stamp = queue_[at];
  if (!track.last_ns) return {judge_first(at, no_more), nearest_clock(track, stamp)};
  const std::int64_t last_ns = *track.last_ns;
  const auto is_regular = [&](std::int64_t ns) {
    return ns > last_ns && ns <= track.end_ns() + std::max(2 * track.step_ns, max_regular_ns);
  };
  if (is_regular(stamp.dts_ns + clocks_[track.clock].offset_ns)) return {Verdict::fits, track.clock};
  const std::size_t clock = fitting_clock(track, stamp);
  const std::int64_t offset_ns = clocks_[clock].offset_ns;
  const std::int64_t time_ns = stamp.dts_ns + offset_ns;
  const std::int64_t step_ns = track.step_ns;
  const bool changes = clock != track.clock;
  if (is_regular(time_ns) || (changes && distance(time_ns, track.end_ns()) <= max_guess_error_ns))
    return {Verdict::fits, clock};

  if (distance(track.end_ns(), stamp.dts_ns) > max_offset_ns) return {Verdict::fits, clock};
  const std::vector<std::int64_t> next = followers(at);
  if (next.size() < num_followers && !no_more) return {Verdict::unknown, clock};
  const auto are_most = [&](auto is) {
    std::int64_t k = 0;
    const auto count = std::count_if(next.begin(), next.end(),
                                     [&](std::int64_t dts_ns) { return is(dts_ns + offset_ns, ++k); });
    return 2 * count > static_cast<std::ptrdiff_t>(next.size());
  };
  if (time_ns > last_ns) {
    if (are_most([&](std::int64_t ns, std::int64_t) { return ns < time_ns; })) return {Verdict::bad, clock};
    const bool wraps_far =
        stamp.wrap_ns > 0 && time_ns - track.end_ns() > max_wrap_gap_ns &&
        wraps(last_ns - clocks_[track.clock].offset_ns, stamp.wrap_ns) < wraps(stamp.dts_ns, stamp.wrap_ns);
    return {wraps_far ? Verdict::new_clock : Verdict::fits, clock};
  }
  const std::int64_t jitter_ns = std::max(2 * step_ns, stamp.is_video ? max_guess_error_ns : std::int64_t{0});
  if (last_ns - time_ns <= jitter_ns && !is_repeated(track, at, offset_ns)) return {Verdict::fits, clock};
  const bool goes_on = are_most([&](std::int64_t ns, std::int64_t k) {
    return distance(ns, time_ns + k * step_ns) < distance(ns, track.end_ns() + k * step_ns);
  });
  return {goes_on ? Verdict::new_clock : Verdict::bad, clock};
}

void InputClock::note_duration(Track& track, const Stamp& stamp) {
  if (stamp.duration_ns > 0 && stamp.duration_ns <= max_duration_ns) track.step_ns = stamp.duration_ns;
}

void InputClock::accept(Track& track, const Stamp& stamp) const {
  const std::int64_t offset_ns = clocks_[track.clock].offset_ns;
  const std::int64_t time_ns = stamp.dts_ns + offset_ns;
  if (track.last_ns && time_ns > *track.last_ns && time_ns - *track.last_ns < second_ns)
    track.step_ns = time_ns - *track.last_ns;
  note_duration(track, stamp);
  track.last_ns = std::max(time_ns, track.last_ns.value_or(time_ns));
  if (stamp.pts_ns == no_time || stamp.pts_ns - stamp.dts_ns > max_delay_ns + 16 * track.step_ns) return;
  track.max_delay_ns = std::max(track.max_delay_ns, stamp.pts_ns - stamp.dts_ns);
  track.max_pts_ns = std::max(track.max_pts_ns, stamp.pts_ns + offset_ns);
}

/// Takes the time of a bad packet from its neighbours'.
InputClock::Shift InputClock::replace(Track& track, std::size_t at) const {
  const Stamp& stamp = queue_[at];
  const std::int64_t offset_ns = clocks_[track.clock].offset_ns;
  const std::vector<std::int64_t> next = followers(at);
  note_duration(track, stamp);
  if (!track.last_ns) {
    track.last_ns = *std::min_element(next.begin(), next.end()) + offset_ns - track.step_ns;
  } else {
    const auto good = std::find_if(next.begin(), next.end(),
                                   [&](std::int64_t ns) { return ns + offset_ns > *track.last_ns; });
    const std::int64_t regular_ns = track.end_ns();
    track.last_ns = good == next.end()
                        ? regular_ns
                        : std::min(regular_ns, *track.last_ns + (*good + offset_ns - *track.last_ns) / 2);
  }
  const std::int64_t time_ns = *track.last_ns;
  Shift shift{time_ns - stamp.dts_ns, time_ns - stamp.pts_ns};
  if (stamp.pts_ns == no_time) return shift;
  const auto is_delay = [&](std::int64_t ns) { return ns >= 0 && ns <= track.max_delay_ns + track.step_ns; };
  if (is_delay(stamp.pts_ns + offset_ns - time_ns))
    shift.pts_ns = offset_ns;
  else if (is_delay(stamp.pts_ns - stamp.dts_ns))
    shift.pts_ns = shift.dts_ns;
  track.max_pts_ns = std::max(track.max_pts_ns, stamp.pts_ns + shift.pts_ns);
  return shift;
}

/// How the stream goes on regularly at a packet of the queue.
InputClock::Joint InputClock::joint_at(const Track& track, std::size_t at) const {
  const Stamp& stamp = queue_[at];
  Joint joint{true,          track.end_ns() - stamp.dts_ns, stamp.dts_ns, stamp.dts_ns, *track.last_ns,
              track.end_ns()};
  if (!stamp.is_video || stamp.pts_ns == no_time || track.max_pts_ns == no_time) return joint;
  joint.shown_ns = stamp.pts_ns;
  std::size_t num_seen = 0;
  for (std::size_t i = at + 1; i < queue_.size() && num_seen < num_followers; ++i) {
    if (queue_[i].stream != stamp.stream) continue;
    ++num_seen;
    const std::int64_t pts_ns = queue_[i].pts_ns;
    if (pts_ns != no_time && pts_ns >= stamp.dts_ns) joint.shown_ns = std::min(joint.shown_ns, pts_ns);
  }
  joint.offset_ns = track.max_pts_ns + track.step_ns - joint.shown_ns;
  return joint;
}

/// The stream's first packet of a clock that is not yet known.
InputClock::Joint InputClock::find_joint(int stream, bool no_more) const {
  Track track = tracks_.at(stream);
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    const Stamp& stamp = queue_[i];
    if (stamp.stream != stream || stamp.dts_ns == no_time) continue;
    const Judgement judgement = judge(track, i, no_more);
    switch (judgement.verdict) {
      case Verdict::fits:
        track.clock = judgement.clock;
        accept(track, stamp);
        break;
      case Verdict::bad:
        replace(track, i);
        break;
      case Verdict::new_clock:
        return joint_at(track, i);
      case Verdict::unknown:
        return {};
    }
  }
  return {.is_known = no_more, .offset_ns = std::nullopt};
}

/// False: more packets are needed.
bool InputClock::begin_clock(int stream, bool no_more) {
  std::map<int, Joint> joints;
  for (const auto& [other, track] : tracks_) {
    if (!track.last_ns || *track.last_ns < *tracks_.at(stream).last_ns - max_mixed_ns) continue;
    const Joint joint = find_joint(other, no_more);
    if (!joint.is_known) return false;
    if (joint.offset_ns) joints[other] = joint;
  }
  const auto picture = joints.find(picture_stream_);
  Clock clock;
  clock.offset_ns = picture == joints.end() ? *joints.at(stream).offset_ns : *picture->second.offset_ns;
  for (const auto& [other, joint] : joints)
    if (other != picture_stream_ && joint.dts_ns + clock.offset_ns <= joint.last_ns)
      clock.offset_ns = joint.end_ns - joint.dts_ns;
  clock.begin_ns = joints.at(stream).dts_ns + clock.offset_ns;
  if (changes_.num_new_clocks++ == 0) {
    const Joint& shown = picture == joints.end() ? joints.at(stream) : picture->second;
    changes_.first_new_clock_ns = shown.shown_ns + clock.offset_ns;
    changes_.first_step_ns = clock.offset_ns - clocks_[tracks_.at(stream).clock].offset_ns;
    // What looked like a wrap is undone with it.
    if (changes_.first_step_ns < 0) changes_.first_step_ns += queue_.front().wrap_ns;
  }
  clocks_.push_back(clock);
  return true;
}

std::optional<InputClock::Shift> InputClock::pop(bool no_more) {
  if (queue_.empty()) return std::nullopt;
  const Stamp& stamp = queue_.front();
  Track& track = tracks_[stamp.stream];
  Shift shift;
  if (!stamp.is_steady || stamp.dts_ns == no_time) {
    track.clock = nearest_clock(track, stamp);
    shift.dts_ns = shift.pts_ns = clocks_[track.clock].offset_ns;
    queue_.pop_front();
    return shift;
  }
  const Judgement judgement = judge(track, 0, no_more);
  switch (judgement.verdict) {
    case Verdict::unknown:
      return std::nullopt;
    case Verdict::bad:
      shift = replace(track, 0);
      if (changes_.num_bad_times++ == 0) {
        changes_.first_bad_time_ns = *track.last_ns;
        changes_.first_bad_stream = stamp.stream;
      }
      break;
    case Verdict::new_clock:
      if (!begin_clock(stamp.stream, no_more)) return std::nullopt;
      track.clock = clocks_.size() - 1;
      track.last_ns.reset();
      accept(track, stamp);
      shift.dts_ns = shift.pts_ns = clocks_[track.clock].offset_ns;
      break;
    case Verdict::fits:
      if (track.clock != judgement.clock) track.last_ns.reset();
      track.clock = judgement.clock;
      accept(track, stamp);
      shift.dts_ns = shift.pts_ns = clocks_[track.clock].offset_ns;
      break;
  }
  queue_.pop_front();
  return shift;
}

}  // namespace atelier::media
