#include "atelier/media/video_reader.h"

#include <cmath>
#include <utility>

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

namespace atelier::media {
namespace {

/// Times that go back by more than this begin a new count, as after a cut in a transport stream.
constexpr double max_step_back_s = 1.0;

/// A time further ahead than this is wrong if the next frame does not follow it.
constexpr double doubtful_gap_s = 10.0;

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
      FramePtr frame = peeked ? std::move(peeked) : source.read();
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
      if (pts < begin) continue;
      if (pts >= end) return nullptr;
      return frame;
    }
  }

  /// True for the time of a frame far ahead of its neighbours on both sides: a damaged one.
  bool is_outlier(std::int64_t time) {
    if (!last_pts || static_cast<double>(time + offset - *last_pts) * tick_s < doubtful_gap_s) return false;
    peeked = source.read();
    return peeked && peeked->best_effort_timestamp != AV_NOPTS_VALUE &&
           peeked->best_effort_timestamp + offset > *last_pts && peeked->best_effort_timestamp < time;
  }

  /// Strictly increasing; as ffprobe shows it wherever that is.
  std::int64_t time_of(const AVFrame& frame) {
    const std::int64_t duration = compat::frame_duration(frame);
    const std::int64_t after_last = last_pts ? *last_pts + (duration > 0 ? duration : step) : stream_start;
    std::int64_t time = frame.best_effort_timestamp;
    if (time == AV_NOPTS_VALUE || is_outlier(time)) {
      time = after_last;
    } else {
      time += offset;
      if (last_pts && time <= *last_pts) {
        const bool jump = static_cast<double>(*last_pts - time) * tick_s > max_step_back_s;
        if (jump) offset += after_last - time;
        time = jump ? after_last : *last_pts + 1;
        if (!std::exchange(said_steps_back, true))
          log::warning(concat("'", config.path.string(), "': the times of frames go back near ",
                              fixed(static_cast<double>(time - stream_start) * tick_s, 2),
                              " s; they are made to increase"));
      }
    }
    last_pts = time;
    return time;
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
    if (shaper->differs(frame)) {
      if (num_rescaled++ == 0)
        log::warning(concat("'", config.path.string(), "': from frame ", next_index, " on the video is ",
                            frame.width, "x", frame.height, " ",
                            format_of(frame, source.packets().codec().codec_id).pixel_format, ", not ",
                            info.coded_width_px, "x", info.coded_height_px, " ", info.format.pixel_format,
                            " as at its start; such frames are scaled to the first size"));
    }
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
  FramePtr first;   ///< decoded by the constructor, given by the first read
  FramePtr peeked;  ///< read ahead
  double first_decode_s = 0;
  std::int64_t pts = 0;
  std::int64_t next_index = 0;
  std::int64_t num_rescaled = 0;
  std::int64_t num_decoded = 0;
  std::int64_t stream_start = 0;
  std::int64_t begin = INT64_MIN;
  std::int64_t end = INT64_MAX;
  std::int64_t step = 1;
  std::int64_t offset = 0;
  std::optional<std::int64_t> last_pts;
  bool unproven_seek = false;
  bool said_steps_back = false;
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
