#include "atelier/media/muxer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "atelier/base/checked_cast.h"
#include "atelier/base/handle.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "codec_delay.h"
#include "compat.h"
#include "copied_streams.h"
#include "encoder_context.h"
#include "output_check.h"
#include "output_file.h"
#include "output_format.h"
#include "output_streams.h"
#include "side_data.h"
#include "space_check.h"

namespace atelier::media {
namespace {

/// A frame takes more, whatever the codec.
constexpr std::int64_t least_frame_bytes = 8;

struct OutputCloser {
  void operator()(AVFormatContext* c) const noexcept {
    avio_closep(&c->pb);
    avformat_free_context(c);
  }
};
using OutputPtr = std::unique_ptr<AVFormatContext, OutputCloser>;

OutputPtr new_output(const AVOutputFormat& format, const std::filesystem::path& file) {
  AVFormatContext* raw = nullptr;
  const std::string url = "file:" + file.string();
  check_av(avformat_alloc_output_context2(&raw, &format, nullptr, url.c_str()), "cannot make a muxer");
  OutputPtr output(raw);
  output->flags |= AVFMT_FLAG_BITEXACT;
  // Shifts are decided here, for all streams alike.
  output->avoid_negative_ts = 0;
  // FLAC, TrueHD, 3D and spherical modes in MP4 are standards since longer than FFmpeg's defaults say.
  output->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
  return output;
}

MuxerConfig with_name(MuxerConfig config) {
  if (config.named.empty()) config.named = config.output;
  return config;
}

/// The smallest common multiple of the time bases' denominators, or the first of them where that is too big.
int common_timescale(const std::vector<int>& denominators) {
  constexpr std::int64_t max_timescale = 1 << 30;
  std::int64_t common = 1;
  for (const int d : denominators) {
    const std::int64_t next = std::lcm(common, std::int64_t{std::max(1, d)});
    if (next > max_timescale) return denominators.front();
    common = next;
  }
  return static_cast<int>(common);
}

bool is_said(const MuxerConfig& config, const std::string& words) {
  return std::find(config.said.begin(), config.said.end(), words) != config.said.end();
}

}  // namespace

struct Muxer::Impl {
  /// is_rehearsal: of a file that is thrown away.
  explicit Impl(const MuxerConfig& muxer_config, bool is_rehearsal = false);

  void start(const Segment& segment);
  void choose_shift(std::int64_t first_pts, std::int64_t first_dts);
  void write_header(bool starts_late);
  void write_video(const SegmentPacket& packet, std::int64_t dts);
  void write_copied_before(double time_s);
  void tell_moved_packets();
  /// 0, or what the container says of a packet that it refuses. Throws when the disk is full.
  [[nodiscard]] int write_packet(AVPacket& packet, AVStream& stream);
  void check_space() const;
  void write(const Segment& segment);
  void finish_file();
  /// What the finished file lacks.
  [[nodiscard]] Losses losses(bool is_whole) const;
  void check_written(int result);
  [[nodiscard]] AVRational video_time_base() const {
    return {config.encoder.time_base.num, config.encoder.time_base.den};
  }

  MuxerConfig config;
  const AVOutputFormat& format;
  std::unique_ptr<TemporaryFolder> folder;
  std::filesystem::path file;
  std::vector<std::string> warnings;
  CopiedStreams copied;
  OutputPtr output;
  OutputStreams streams;
  AVStream* video = nullptr;  ///< the styled one of them
  bool started = false;
  std::vector<std::byte> extradata;
  std::vector<std::int64_t> last_pts;  ///< the d largest pts before the next segment, ascending
  std::int64_t step = 1;               ///< smallest distance of two pts in the first segment
  std::int64_t shift = 0;              ///< added to all times, in the video's time base
  std::int64_t next_chunk = 0;
  bool said_moved = false;
  std::vector<std::string> lost_beside_packets;  ///< as Losses::items
  std::set<int> refusing;                        ///< output streams with packets that the container refused
  std::map<int, std::int64_t> last_dts;          ///< of each output stream, in its time base
  struct MovedPackets {
    std::int64_t last_input_dts = INT64_MIN;
    std::int64_t count = 0;
    double largest_s = 0;
  };
  std::map<int, MovedPackets> moved_packets;  ///< copied packets that did not follow those before
};

Muxer::Impl::Impl(const MuxerConfig& muxer_config, bool is_rehearsal)
    : config(with_name(muxer_config)),
      format(output_format(config.named)),
      folder(make_scratch(config.scratch, config.start_id)),
      file(folder->path() / ("video" + config.named.extension().string())),
      copied(config),
      output(new_output(format, file)) {
  streams = add_streams(config, *encoder_facts(config.encoder).parameters, copied, *output, warnings);
  video = streams.styled;
  if (!is_rehearsal) check_space();
  if ((format.flags & AVFMT_NOTIMESTAMPS) != 0)
    warnings.push_back(
        concat("The times of frames are lost: ", container_name(format), " cannot hold them."));
}

void Muxer::Impl::check_space() const {
  std::error_code failed;
  const std::uintmax_t input_bytes = std::filesystem::file_size(config.input.path, failed);
  SpaceNeed need;
  need.least_bytes = copied.indexed_bytes() + least_frame_bytes * config.input.num_frames.value_or(0);
  need.probable_bytes = need.least_bytes;
  if (!failed && config.duration_s <= 0)
    need.probable_bytes = std::max(need.probable_bytes, checked_cast<std::int64_t>(input_bytes));
  media::check_space(folder->path().parent_path(), std::filesystem::absolute(config.output).parent_path(),
                     need);
}

void Muxer::Impl::check_written(int result) {
  const int io_error = output->pb == nullptr ? 0 : output->pb->error;
  if (io_error < 0 && io_error != AVERROR_EOF) throw_write_error(file, AVUNERROR(io_error), "--stage-dir");
  check_av(result,
           concat("cannot write '", config.output.filename().string(), "' as ", container_name(format)));
}

void Muxer::Impl::choose_shift(std::int64_t first_pts, std::int64_t first_dts) {
  const AVRational time_base = video_time_base();
  const AVStream* source =
      copied.input() == nullptr ? nullptr : copied.input()->streams[config.input.stream_index];
  if (config.start_s > 0) {
    const std::int64_t stream_start = source == nullptr || source->start_time == AV_NOPTS_VALUE
                                          ? 0
                                          : av_rescale_q(source->start_time, source->time_base, time_base);
    shift = stream_start - first_pts;
  }
  const std::int64_t shift_us = av_rescale_q(shift, time_base, AV_TIME_BASE_Q);
  const auto video_us = [&](std::int64_t ticks) {
    return av_rescale_q_rnd(ticks, time_base, AV_TIME_BASE_Q, AV_ROUND_DOWN);
  };
  std::int64_t earliest_us = video_us(first_pts);
  if (is_matroska_family(format)) {
    earliest_us = std::min(earliest_us, copied.first_matroska_ms() * 1000);
  } else if ((format.flags & (AVFMT_TS_NEGATIVE | AVFMT_NOTIMESTAMPS)) == 0) {
    earliest_us = std::min(video_us(first_dts), copied.first_dts_us());
  }
  if (earliest_us + shift_us >= 0) return;
  const std::int64_t more =
      av_rescale_q_rnd(-(earliest_us + shift_us), AV_TIME_BASE_Q, time_base, AV_ROUND_UP);
  shift += more;
  warnings.push_back(concat("All streams start ", fixed(static_cast<double>(more) * av_q2d(time_base), 3),
                            " s later: ", container_name(format), " cannot hold times before zero."));
}

void Muxer::Impl::write_header(bool starts_late) {
  Options options;
  if (is_mov_family(format)) {
    std::vector<int> video_scales{config.encoder.time_base.den};
    std::vector<int> all_scales;
    for (unsigned i = 0; i < output->nb_streams; ++i) {
      const AVStream& stream = *output->streams[i];
      if (stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && &stream != video)
        video_scales.push_back(stream.time_base.den);
      if (stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO)
        all_scales.push_back(stream.codecpar->sample_rate);
    }
    int timescale = common_timescale(video_scales);
    // As FFmpeg does: whole multiples, so that coarse clocks leave room for players' arithmetic.
    while (timescale < 10000) timescale *= 2;
    all_scales.insert(all_scales.begin(), {timescale, 1000});
    options.set("movflags", needs_metadata_keys(*output) ? "+faststart+use_metadata_tags" : "+faststart");
    options.set("video_track_timescale", concat(timescale));
    // A late start is an empty edit, in ticks of the movie: these must hold every stream's start exactly.
    if (starts_late || shift != 0) options.set("movie_timescale", concat(common_timescale(all_scales)));
  }
  check_written(avio_open(&output->pb, output->url, AVIO_FLAG_WRITE));
  check_written(avformat_write_header(output.get(), options.get()));
}

void Muxer::Impl::start(const Segment& segment) {
  std::vector<std::int64_t> sorted;
  for (const SegmentPacket& packet : segment.packets) sorted.push_back(packet.pts_ticks);
  std::sort(sorted.begin(), sorted.end());
  step = 0;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const std::int64_t distance = sorted[i] - sorted[i - 1];
    if (distance > 0 && (step == 0 || distance < step)) step = distance;
  }
  const double rate = config.input.frame_rate.value();
  if (step == 0) step = segment.packets.front().duration_ticks;
  if (step <= 0 && rate > 0) step = static_cast<std::int64_t>(1 / (rate * av_q2d(video_time_base())));
  step = std::max<std::int64_t>(1, step);
  const int depth = config.encoder.reorder_frames;
  for (int k = 0; k < depth; ++k) last_pts.push_back(sorted.front() - (depth - k) * step);

  extradata = segment.extradata;
  av_freep(&video->codecpar->extradata);
  video->codecpar->extradata_size = 0;
  if (!extradata.empty()) {
    video->codecpar->extradata =
        static_cast<std::uint8_t*>(av_mallocz(extradata.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    if (video->codecpar->extradata == nullptr) throw std::bad_alloc();
    std::memcpy(video->codecpar->extradata, extradata.data(), extradata.size());
    video->codecpar->extradata_size = checked_cast<int>(extradata.size());
  }
  copied.look_ahead();
  choose_shift(sorted.front(), last_pts.empty() ? sorted.front() : last_pts.front());
  if (copied.input() != nullptr)
    copy_metadata(*copied.input(), config, av_rescale_q(shift, video_time_base(), AV_TIME_BASE_Q), *output);
  write_header(sorted.front() > 0 || copied.starts_late());
  started = true;
}

int Muxer::Impl::write_packet(AVPacket& packet, AVStream& stream) {
  const auto last = last_dts.find(stream.index);
  if (last != last_dts.end()) {
    const AVMediaType type = stream.codecpar->codec_type;
    const bool may_repeat = (format.flags & AVFMT_TS_NONSTRICT) != 0 || type == AVMEDIA_TYPE_SUBTITLE ||
                            type == AVMEDIA_TYPE_DATA;
    const std::int64_t smallest = last->second + (may_repeat ? 0 : 1);
    if (packet.dts < smallest) {
      packet.dts = smallest;
      if (packet.pts < packet.dts && &stream == video && !said_moved) {
        said_moved = true;
        warnings.push_back(concat("Frames whose time does not follow the one before are moved: ",
                                  container_name(format), " cannot hold them."));
      }
      packet.pts = std::max(packet.pts, packet.dts);
    }
  }
  last_dts[stream.index] = packet.dts;
  const int result = av_write_frame(output.get(), &packet);
  check_written(0);
  return result;
}

void Muxer::Impl::write_copied_before(double time_s) {
  while (copied.has_before(time_s)) {
    CopiedStreams::Item item = copied.pop();
    AVPacket& packet = *item.packet;
    const std::int64_t packet_dts = packet.dts;
    const std::int64_t moved = av_rescale_q(shift, video_time_base(), item.time_base);
    packet.pts += moved;
    packet.dts += moved;
    av_packet_rescale_ts(&packet, item.time_base, item.output_stream->time_base);
    if (is_matroska_family(format)) {
      const std::int64_t delay_ms = unapplied_codec_delay_ms(*item.output_stream->codecpar);
      packet.pts += delay_ms;
      packet.dts += delay_ms;
    }
    MovedPackets& moves = moved_packets[packet.stream_index];
    const bool follows =
        packet_dts > std::exchange(moves.last_input_dts, std::max(packet_dts, moves.last_input_dts));
    const std::int64_t wanted_dts = packet.dts;
    const int result = write_packet(packet, *item.output_stream);
    if (!follows && packet.dts != wanted_dts) {
      ++moves.count;
      moves.largest_s = std::max(moves.largest_s, static_cast<double>(packet.dts - wanted_dts) *
                                                      av_q2d(item.output_stream->time_base));
    }
    if (result < 0 && refusing.insert(packet.stream_index).second)
      warnings.push_back(concat("Some packets of output stream ", packet.stream_index, " are left out: ",
                                container_name(format), " refuses them (", av_error_text(result), ")."));
  }
}

void Muxer::Impl::tell_moved_packets() {
  for (const auto& [index, moves] : moved_packets) {
    if (moves.count == 0) continue;
    const AVCodecParameters& codec = *output->streams[index]->codecpar;
    const char* kind = av_get_media_type_string(codec.codec_type);
    const bool is_one = moves.count == 1;
    warnings.push_back(
        concat(moves.count, is_one ? " packet" : " packets", " of output stream ", index, " (",
               kind == nullptr ? "unknown" : kind, ", ", avcodec_get_name(codec.codec_id),
               ") did not follow those before in time and ", is_one ? "was" : "were", " moved by ",
               moves.largest_s < 0.001 ? "less than 0.001"
                                       : concat(is_one ? "" : "up to ", fixed(moves.largest_s, 3)),
               " s: ", container_name(format), " needs times that increase."));
  }
}

void Muxer::Impl::write_video(const SegmentPacket& segment_packet, std::int64_t dts) {
  if (dts > segment_packet.pts_ticks)
    throw JobError(concat("encoder ", config.encoder.encoder, " reorders more than ",
                          config.encoder.reorder_frames, " frames"));
  write_copied_before(static_cast<double>(dts) * av_q2d(video_time_base()));
  const PacketPtr packet = make_packet();
  check_av(av_new_packet(packet.get(), checked_cast<int>(segment_packet.data.size())),
           "cannot allocate a packet");
  if (!segment_packet.data.empty())
    std::memcpy(packet->data, segment_packet.data.data(), segment_packet.data.size());
  for (const SideDataEntry& entry : unpack_entries(segment_packet.side_data)) {
    if (entry.type == AV_PKT_DATA_DYNAMIC_HDR10_PLUS && !is_matroska_family(format) &&
        lost_beside_packets.empty())
      lost_beside_packets.push_back(
          concat(frame_side_data_name(AV_FRAME_DATA_DYNAMIC_HDR_PLUS), " of the frames"));
    std::uint8_t* data = av_packet_new_side_data(packet.get(), static_cast<AVPacketSideDataType>(entry.type),
                                                 entry.data.size());
    if (data == nullptr) throw std::bad_alloc();
    std::memcpy(data, entry.data.data(), entry.data.size());
  }
  packet->stream_index = video->index;
  packet->flags = segment_packet.key ? AV_PKT_FLAG_KEY : 0;
  packet->pts = segment_packet.pts_ticks + shift;
  packet->dts = dts + shift;
  packet->duration = segment_packet.duration_ticks > 0 ? segment_packet.duration_ticks : step;
  av_packet_rescale_ts(packet.get(), video_time_base(), video->time_base);
  packet->duration = std::max<std::int64_t>(1, packet->duration);
  check_written(write_packet(*packet, *video));
}

Muxer::Muxer(const MuxerConfig& config) : impl_(std::make_unique<Impl>(config)) {}
Muxer::~Muxer() = default;

void Muxer::Impl::write(const Segment& segment) {
  if (segment.packets.empty()) throw JobError(concat("chunk ", segment.chunk_index, " has no packets"));
  if (segment.chunk_index != next_chunk++)
    throw JobError(concat("chunk ", segment.chunk_index, " came out of order"));
  if (!started) start(segment);
  if (segment.extradata != extradata)
    throw JobError(concat("chunk ", segment.chunk_index, " has another codec header than chunk 0"),
                   "its encoder was set up differently");
  std::vector<std::int64_t> sorted = last_pts;
  for (const SegmentPacket& packet : segment.packets) sorted.push_back(packet.pts_ticks);
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t k = 0; k < segment.packets.size(); ++k) write_video(segment.packets[k], sorted[k]);
  last_pts.assign(sorted.end() - config.encoder.reorder_frames, sorted.end());
}

void Muxer::Impl::finish_file() {
  if (!started) throw JobError(concat("'", config.output.string(), "' would hold no frame"));
  write_copied_before(std::numeric_limits<double>::infinity());
  check_written(av_write_trailer(output.get()));
  avio_flush(output->pb);
  check_written(0);
  check_written(avio_closep(&output->pb));
}

Losses Muxer::Impl::losses(bool is_whole) const {
  Losses losses = losses_in_file(file, {.input = config.input,
                                        .encoder = config.encoder,
                                        .output = *output,
                                        .streams = streams,
                                        .is_whole = is_whole});
  for (const std::string& item : lost_beside_packets)
    if (std::find(losses.items.begin(), losses.items.end(), item) == losses.items.end())
      losses.items.push_back(item);
  return losses;
}

void Muxer::write(const Segment& segment) {
  impl_->write(segment);
}

void Muxer::close() {
  Impl& impl = *impl_;
  impl.finish_file();
  impl.tell_moved_packets();
  if (impl.config.input_state) check_unchanged(impl.config.input.path, *impl.config.input_state);
  Losses losses = impl.losses(true);
  std::erase_if(losses.items, [&](const std::string& item) { return is_said(impl.config, item); });
  if (!losses.items.empty())
    impl.warnings.push_back(loss_sentence(container_name(impl.format), losses.items));
  publish_file(impl.file, impl.config.output, impl.config.start_id);
}

std::vector<std::string> Muxer::warnings() const {
  std::vector<std::string> news = impl_->warnings;
  std::erase_if(news, [&](const std::string& sentence) { return is_said(impl_->config, sentence); });
  return news;
}

Rehearsal Muxer::rehearse(const MuxerConfig& config) {
  EncoderConfig silent = config.encoder;
  for (const int kind : kinds_of(config.input.first_frame_side_data)) silent.known_losses.push_back(kind);
  SegmentEncoder encoder(silent, 0, 0);
  FramePlanes frame = trial_frame(config.input.format, 0);
  frame.info.pts_ticks = config.input.first_pts_ticks;
  frame.info.side_data = config.input.first_frame_side_data;
  encoder.write(frame);
  Impl impl(config, true);
  impl.write(encoder.finish());
  impl.copied.stop_reading();
  impl.finish_file();
  const Losses losses = impl.losses(false);
  Rehearsal rehearsal{.warnings = impl.warnings,
                      .said = impl.warnings,
                      .known_losses = {losses.frame_kinds.begin(), losses.frame_kinds.end()}};
  if (!losses.items.empty())
    rehearsal.warnings.push_back(loss_sentence(container_name(impl.format), losses.items));
  rehearsal.said.insert(rehearsal.said.end(), losses.items.begin(), losses.items.end());
  return rehearsal;
}

}  // namespace atelier::media
