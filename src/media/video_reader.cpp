#include "atelier/media/video_reader.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "atelier/base/log.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "compat.h"
#include "frame_description.h"
#include "frame_shaper.h"
#include "frame_source.h"
#include "frame_window.h"
#include "input_summary.h"
#include "side_data.h"
#include "upright.h"

namespace atelier::media {
namespace {

/// So many frames tell whether the time of the one before is wrong.
constexpr std::size_t num_frames_ahead = 3;

}  // namespace

struct VideoReader::Impl {
  explicit Impl(VideoReaderConfig wanted)
      : config(std::move(wanted)),
        source(config.path, config.stream, config.num_threads),
        tick_s(av_q2d(source.packets().time_base())) {
    set_window();
    first = next_wanted();
    if (!first) throw_no_frame();
    shaper.emplace(*first, source.packets().codec().codec_id, config.height_px);
    info = summarize(source.packets(), *first);
    info.path = config.path;
    info.first_pts_ticks = pts;
    info.format = shaper->format();
    if (info.format.width_px != info.coded_width_px || info.format.height_px != info.coded_height_px)
      info.stream_side_data = for_other_size(info.stream_side_data);
    info.first_frame_side_data = pack_frame_side_data(*first);
    cut_estimates();
  }

  void set_window() {
    const FrameWindow window = frame_window(source.packets(), config.start_s, config.duration_s);
    stream_start = window.stream_start;
    begin = window.begin;
    end = window.end;
    const AVStream* stream = source.packets().stream();
    const AVRational rate =
        stream == nullptr ? AVRational{25, 1}
                          : av_guess_frame_rate(source.packets().input(), source.packets().stream(), nullptr);
    step = rate.num > 0 && rate.den > 0 ? std::max<std::int64_t>(1, std::llround(1.0 / av_q2d(rate) / tick_s))
                                        : 1;
    if (begin != INT64_MIN) unproven_seek = source.seek(begin);
  }

  [[noreturn]] void throw_no_frame() const {
    const std::string name = concat("'", config.path.string(), "'");
    if (num_decoded > 0)
      throw UsageError(concat(name, " has no frame at ", fixed(config.start_s, 3), " s"), "it is shorter",
                       concat("Choose an earlier ", config.start_option));
    const std::string& problem = source.damage().first_problem;
    throw UsageError(concat("no frame of ", name, " can be decoded"), problem,
                     "Check that the file is whole");
  }

  /// The next frame within [begin, end), its time in pts; null at the end.
  FramePtr next_wanted() {
    for (;;) {
      FramePtr frame = take_next();
      if (!frame) {
        if (!std::exchange(unproven_seek, false)) return nullptr;
        source.rewind();
        continue;
      }
      ++num_decoded;
      if (std::exchange(unproven_seek, false) &&
          (frame->best_effort_timestamp == AV_NOPTS_VALUE || frame->best_effort_timestamp > begin)) {
        source.rewind();  // The seek went too far.
        continue;
      }
      pts = time_of(*frame);
      say_clock_changes();
      if (pts < begin) continue;
      if (pts >= end) return nullptr;
      return source.packets().shows_pictures() ? upright(std::move(frame), source.packets().codec().codec_id)
                                               : std::move(frame);
    }
  }

  FramePtr take_next() {
    if (ahead.empty()) return source.read();
    FramePtr frame = std::move(ahead.front());
    ahead.pop_front();
    return frame;
  }

  /// Times of the frames that come next, as far as they have some.
  std::vector<std::int64_t> times_ahead() {
    while (ahead.size() < num_frames_ahead) {
      FramePtr frame = source.read();
      if (!frame) break;
      ahead.push_back(std::move(frame));
    }
    std::vector<std::int64_t> times;
    for (const FramePtr& frame : ahead)
      if (frame->best_effort_timestamp != AV_NOPTS_VALUE)
        times.push_back(frame->best_effort_timestamp + offset);
    return times;
  }

  /// Strictly increasing; that of the packet (InputClock) unless frames before and after speak against it.
  std::int64_t time_of(const AVFrame& frame) {
    const std::int64_t duration = compat::frame_duration(frame);
    const std::int64_t usual_step = duration > 0 ? duration : step;
    std::int64_t time = last_pts ? *last_pts + usual_step : stream_start;
    if (frame.best_effort_timestamp != AV_NOPTS_VALUE) {
      const std::int64_t own_time = frame.best_effort_timestamp + offset;
      const bool is_regular = !last_pts || (own_time > *last_pts && own_time - time <= usual_step / 2);
      time = is_regular ? own_time : judged_time(own_time, time);
    }
    last_pts = time;
    return time;
  }

  /// Of a frame that does not follow the last one regularly. Those after it tell why.
  std::int64_t judged_time(std::int64_t own_time, std::int64_t regular_time) {
    const std::vector<std::int64_t> next = times_ahead();
    const auto count = [&](auto is) { return std::count_if(next.begin(), next.end(), is); };
    const auto num_next = static_cast<std::ptrdiff_t>(next.size());
    if (own_time > *last_pts && 2 * count([&](std::int64_t t) { return t < own_time; }) <= num_next)
      return own_time;  // a gap
    if (own_time <= *last_pts && num_next > 1 &&
        count([&](std::int64_t t) { return t <= *last_pts; }) == num_next) {
      offset += regular_time - own_time;
      say_once(said_new_clock, concat("the times of its frames begin anew at ", place(regular_time),
                                      "; they go on from there"));
      return regular_time;
    }
    ++num_replaced_times;
    say_once(said_bad_time, concat("the time of a frame near ", place(*last_pts),
                                   " does not fit those around it, and is replaced"));
    if (own_time == *last_pts) return *last_pts + 1;  // as near as can be
    const auto good = std::find_if(next.begin(), next.end(), [&](std::int64_t t) { return t > *last_pts; });
    const std::int64_t room = good == next.end() ? INT64_MAX : (*good - *last_pts) / 2;
    return *last_pts + std::clamp<std::int64_t>(room, 1, regular_time - *last_pts);
  }

  [[nodiscard]] std::string place(std::int64_t time) const {
    return concat(fixed(static_cast<double>(time - stream_start) * tick_s, 2), " s");
  }

  void say_once(bool& said, const std::string& what) const {
    if (!std::exchange(said, true)) log::warning(concat("'", config.path.string(), "': ", what));
  }

  void say_clock_changes() {
    const ClockChanges changes = source.packets().clock_changes();
    const auto seconds_s = [](std::int64_t ns) { return static_cast<double>(ns) * 1e-9; };
    const auto place_s = [&](std::int64_t ns) {
      return fixed(seconds_s(ns) - static_cast<double>(stream_start) * tick_s, 2);
    };
    if (changes.num_new_clocks > 0)
      say_once(said_new_clock,
               concat("its clock begins anew at ", place_s(changes.first_new_clock_ns),
                      " s, as where recordings are joined; from there on all its streams are moved by ",
                      fixed(seconds_s(changes.first_step_ns), 3), " s, so that they go on"));
    if (changes.num_bad_times > 0)
      say_once(said_bad_time, concat("the time of a packet of stream ", changes.first_bad_stream, " near ",
                                     place_s(changes.first_bad_time_ns),
                                     " s does not fit those around it, and is replaced"));
  }

  /// Where there was more than one.
  void count_corrections() const {
    const ClockChanges changes = source.packets().clock_changes();
    if (changes.num_new_clocks > 1)
      log::warning(concat("'", config.path.string(), "': its clock begins anew ", changes.num_new_clocks,
                          " times in all; all streams are moved each time"));
    if (num_replaced_times + changes.num_bad_times > 1)
      log::warning(concat("'", config.path.string(), "': ", num_replaced_times + changes.num_bad_times,
                          " bad times are replaced in all"));
  }

  void cut_estimates() {
    if (config.start_s <= 0 && config.duration_s <= 0) return;
    if (info.duration_s > 0) {
      info.duration_s = std::max(0.0, info.duration_s - std::max(0.0, config.start_s));
      if (config.duration_s > 0) info.duration_s = std::min(info.duration_s, config.duration_s);
      info.num_frames = std::llround(info.duration_s * info.frame_rate.value());
    } else {
      info.num_frames.reset();
    }
  }

  FramePlanes pack(const AVFrame& frame) {
    const std::vector<PropertyChange> changes = shaper->changes(frame);
    if (!changes.empty()) ++num_rescaled;
    for (const PropertyChange& change : changes)
      if (said_changes.insert(change.name).second)
        log::warning(concat("'", config.path.string(), "': from frame ", next_index, " on the ", change.name,
                            " is ", change.now, ", not ", change.first, " as at its start; ", change.remedy));
    FramePlanes out;
    out.info.frame_index = next_index++;
    out.info.pts_ticks = pts;
    describe_frame(frame, out.info);
    out.planes = shaper->planes(frame);
    return out;
  }

  VideoReaderConfig config;
  FrameSource source;
  double tick_s;
  InputInfo info;
  std::optional<FrameShaper> shaper;
  FramePtr first;              ///< decoded by the constructor, given by the first read
  std::deque<FramePtr> ahead;  ///< frames after the one that is judged
  double first_decode_s = 0;
  std::int64_t pts = 0;
  std::int64_t next_index = 0;
  std::int64_t num_rescaled = 0;
  std::set<std::string> said_changes;
  std::int64_t num_decoded = 0;
  std::int64_t stream_start = 0;
  std::int64_t begin = INT64_MIN;
  std::int64_t end = INT64_MAX;
  std::int64_t step = 1;
  std::int64_t offset = 0;
  std::int64_t num_replaced_times = 0;
  std::optional<std::int64_t> last_pts;
  bool unproven_seek = false;
  bool said_new_clock = false;
  bool said_bad_time = false;
  bool at_end = false;
};

VideoReader::VideoReader(const VideoReaderConfig& config) {
  const Stopwatch watch;
  impl_ = std::make_unique<Impl>(config);
  impl_->first_decode_s = watch.seconds_s();
}

VideoReader::~VideoReader() = default;
VideoReader::VideoReader(VideoReader&&) noexcept = default;
VideoReader& VideoReader::operator=(VideoReader&&) noexcept = default;

const InputInfo& VideoReader::info() const {
  return impl_->info;
}

std::optional<FramePlanes> VideoReader::read() {
  Impl& impl = *impl_;
  if (impl.at_end) return std::nullopt;
  const Stopwatch watch;
  const bool is_first = impl.first != nullptr;
  const FramePtr frame = is_first ? std::move(impl.first) : impl.next_wanted();
  if (!frame) {
    impl.at_end = true;
    impl.count_corrections();
    return std::nullopt;
  }
  FramePlanes planes = impl.pack(*frame);
  planes.info.decode_s = watch.seconds_s() + (is_first ? impl.first_decode_s : 0.0);
  return planes;
}

Damage VideoReader::damage() const {
  return impl_->source.damage();
}

std::int64_t VideoReader::num_rescaled_frames() const {
  return impl_->num_rescaled;
}

}  // namespace atelier::media
