#include "encoder_context.h"

#include <algorithm>
#include <cstdarg>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "atelier/base/text.h"
#include "atelier/media/muxer.h"
#include "frame_filler.h"
#include "libav_log.h"

extern "C" {
#include <libavutil/log.h>
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

// SVT-AV1 writes its banner itself; 1 is its level "errors only". Set before main() starts: encoders are
// opened in threads, and others may read the environment at that time.
[[maybe_unused]] const int svt_is_quiet = setenv("SVT_LOG", "1", 0);

struct LogLine {
  int level;
  std::string text;
};

std::mutex capture_mutex;
std::vector<LogLine> captured;

void capture(void* object, int level, const char* format, va_list arguments) {
  note_decoder_fault(object, level, format, arguments);
  constexpr std::size_t max_lines = 100;
  if (level > AV_LOG_WARNING) return;
  char line[512];
  int print_prefix = 0;
  av_log_format_line2(object, level, format, arguments, line, sizeof line, &print_prefix);
  std::string text = line;
  while (!text.empty() && (text.back() == '\n' || text.back() == '.' || text.back() == ' ')) text.pop_back();
  const std::lock_guard lock(capture_mutex);
  if (captured.size() < max_lines) captured.push_back({level, text});
}

/// Frame numbers are the encoder's time; MPEG-1/2 know a few rates only, MPEG-4 16-bit denominators.
AVRational encoder_rate(const AVCodec& codec, Rational wanted) {
  AVRational rate{wanted.num, wanted.den};
  if (rate.num <= 0 || rate.den <= 0 || rate.num / rate.den > 1000) rate = {25, 1};
  if (codec.supported_framerates != nullptr)
    return codec.supported_framerates[av_find_nearest_q_idx(rate, codec.supported_framerates)];
  av_reduce(&rate.num, &rate.den, rate.num, rate.den, 65535);
  return rate;
}

}  // namespace

LogCapture::LogCapture() {
  {
    const std::lock_guard lock(capture_mutex);
    captured.clear();
  }
  av_log_set_callback(capture);
}

LogCapture::~LogCapture() {
  quiet_libraries();
  const std::lock_guard lock(capture_mutex);
  captured.clear();
}

std::string LogCapture::first_problem() {
  const std::lock_guard lock(capture_mutex);
  for (const LogLine& line : captured)
    if (line.level <= AV_LOG_ERROR) return line.text;
  return captured.empty() ? std::string() : captured.front().text;
}

std::string LogCapture::line_with(const std::string& text) {
  const std::lock_guard lock(capture_mutex);
  for (const LogLine& line : captured)
    if (line.text.find(text) != std::string::npos) return line.text;
  return {};
}

const AVCodec& encoder_codec(const EncoderConfig& config) {
  const AVCodec* codec = avcodec_find_encoder_by_name(config.encoder.c_str());
  if (codec == nullptr)
    throw UsageError(concat("encoder '", config.encoder, "' is not in this FFmpeg"), {},
                     "`ffmpeg -encoders` lists what there is");
  return *codec;
}

CodecContextPtr open_encoder(const EncoderConfig& config) {
  const AVCodec& codec = encoder_codec(config);
  CodecContextPtr context(avcodec_alloc_context3(&codec));
  if (!context) throw std::bad_alloc();
  context->width = config.input.width_px;
  context->height = config.input.height_px;
  context->pix_fmt = av_get_pix_fmt(config.pixel_format.c_str());
  context->framerate = encoder_rate(codec, config.frame_rate);
  context->time_base = av_inv_q(context->framerate);
  context->sample_aspect_ratio = {config.sample_aspect.num, config.sample_aspect.den};
  context->color_primaries = static_cast<AVColorPrimaries>(config.color_primaries);
  context->color_trc = static_cast<AVColorTransferCharacteristic>(config.color_transfer);
  context->colorspace = static_cast<AVColorSpace>(config.color_matrix_tag);
  context->color_range = static_cast<AVColorRange>(config.color_range_tag);
  context->chroma_sample_location = static_cast<AVChromaLocation>(config.chroma_location_tag);
  context->field_order = static_cast<AVFieldOrder>(config.field_order);
  context->thread_count = config.num_threads;
  context->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
  context->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_CLOSED_GOP;
  if (config.global_header) context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;

  Options options;
  for (const auto& [key, value] : config.options) options.set(key, value);
  const int opened = avcodec_open2(context.get(), &codec, options.get());
  if (opened < 0) {
    const std::string line = LogCapture::first_problem();
    throw UsageError(concat("encoder ", config.encoder, " refused its settings"),
                     line.empty() ? av_error_text(opened) : line,
                     "Check --preset, --crf, --pixel-format and --encoder-options");
  }
  const std::string unknown = options.first_key();
  if (!unknown.empty())
    throw UsageError(concat("encoder ", config.encoder, " has no option '", unknown, "'"), {},
                     concat("`ffmpeg -h encoder=", config.encoder, "` lists its options"));
  return context;
}

FramePlanes trial_frame(const VideoFormat& format, int number) {
  FramePlanes frame;
  frame.info.frame_index = number;
  frame.info.pts_ticks = number;
  frame.planes = Buffer(frame_bytes(format));
  const auto value = static_cast<unsigned char>(format.bit_depth > 8 ? 1 : 64 + 4 * number);
  std::fill_n(frame.planes.data(), frame.planes.size(), std::byte{value});
  return frame;
}

EncoderFacts encoder_facts(const EncoderConfig& config) {
  const std::string problem = concat("encoder ", config.encoder, " cannot encode a frame");
  const CodecContextPtr context = open_encoder(config);
  FrameFiller filler(config);
  const FramePtr frame = filler.fill(trial_frame(config.input, 0));
  frame->pts = 0;
  check_av(avcodec_send_frame(context.get(), frame.get()), problem);
  check_av(avcodec_send_frame(context.get(), nullptr), problem);
  const PacketPtr packet = make_packet();
  int received = 0;
  while ((received = avcodec_receive_packet(context.get(), packet.get())) >= 0) av_packet_unref(packet.get());
  if (received != AVERROR_EOF) check_av(received, problem);
  EncoderFacts facts;
  facts.parameters.reset(avcodec_parameters_alloc());
  if (!facts.parameters) throw std::bad_alloc();
  check_av(avcodec_parameters_from_context(facts.parameters.get(), context.get()), problem);
  facts.has_b_frames = context->has_b_frames;
  return facts;
}

}  // namespace atelier::media
