#include "input_summary.h"

#include <cmath>

#include "atelier/base/text.h"
#include "compat.h"
#include "side_data.h"

extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

Rational rational(AVRational value) {
  return {value.num, value.den};
}

std::string trimmed(double value) {
  std::string text = fixed(value, 3);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string kind_of(AVMediaType type) {
  const char* name = av_get_media_type_string(type);
  return name == nullptr || type == AVMEDIA_TYPE_UNKNOWN ? "other" : name;
}

/// FFmpeg's name of the codec, else the container's, else none.
std::string codec_of(const AVCodecParameters& codec) {
  const AVCodecDescriptor* known = avcodec_descriptor_get(codec.codec_id);
  if (known != nullptr) return known->name;
  if (codec.codec_tag == 0) return {};
  std::array<char, AV_FOURCC_MAX_STRING_SIZE> tag{};
  return av_fourcc_make_string(tag.data(), codec.codec_tag);
}

std::string describe(const AVStream& stream) {
  const AVCodecParameters& codec = *stream.codecpar;
  if (codec.codec_type == AVMEDIA_TYPE_VIDEO) {
    std::vector<std::string> parts;
    if (codec.width > 0 && codec.height > 0) parts.push_back(concat(codec.width, "x", codec.height));
    if (const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(codec.format)))
      parts.emplace_back(name);
    if (stream.avg_frame_rate.num > 0 && stream.avg_frame_rate.den > 0)
      parts.push_back(concat(trimmed(av_q2d(stream.avg_frame_rate)), " frames/s"));
    return join(parts, " ");
  }
  if (codec.codec_type == AVMEDIA_TYPE_AUDIO) {
    std::vector<std::string> parts;
    if (codec.sample_rate > 0) parts.push_back(concat(codec.sample_rate, " Hz"));
    std::array<char, 64> layout{};
    if (codec.ch_layout.nb_channels > 0 &&
        av_channel_layout_describe(&codec.ch_layout, layout.data(), layout.size()) >= 0)
      parts.emplace_back(layout.data());
    return join(parts, " ");
  }
  return {};
}

StreamSummary summary_of(const AVStream& stream, int styled_index) {
  StreamSummary summary;
  summary.index = stream.index;
  summary.kind = kind_of(stream.codecpar->codec_type);
  summary.codec = codec_of(*stream.codecpar);
  summary.description = describe(stream);
  const AVDictionaryEntry* language = av_dict_get(stream.metadata, "language", nullptr, 0);
  if (language != nullptr && std::string_view(language->value) != "und") summary.language = language->value;
  summary.styled = stream.index == styled_index;
  summary.cover_art = is_cover_art(stream);
  return summary;
}

AVRational frame_rate(const PacketSource& source, AVFrame& first_frame) {
  const AVRational rate = av_guess_frame_rate(source.input(), source.stream(), &first_frame);
  if (rate.num <= 0 || rate.den <= 0) return {25, 1};
  const double duration_s =
      static_cast<double>(compat::frame_duration(first_frame)) * av_q2d(source.time_base());
  // Fields were counted as frames.
  if (source.has_field_packets() && duration_s * av_q2d(rate) > 1.2) return av_d2q(1.0 / duration_s, 100000);
  return rate;
}

void add_file_facts(const PacketSource& source, const AVFrame& first_frame, InputInfo& info) {
  AVFormatContext& input = *source.input();
  AVStream& stream = *source.stream();
  AVFrame* frame = const_cast<AVFrame*>(&first_frame);  // FFmpeg only reads it.
  info.stream_index = stream.index;
  info.stream_choice = source.choice();
  const AVRational rate = frame_rate(source, *frame);
  info.frame_rate = rational(rate);
  info.sample_aspect = rational(av_guess_sample_aspect_ratio(&input, &stream, frame));
  info.field_order = stream.codecpar->field_order;
  if (info.field_order == AV_FIELD_UNKNOWN && compat::is_interlaced(first_frame))
    info.field_order = compat::is_top_field_first(first_frame) ? AV_FIELD_TT : AV_FIELD_BB;
  if (stream.duration != AV_NOPTS_VALUE && stream.duration > 0)
    info.duration_s = static_cast<double>(stream.duration) * av_q2d(stream.time_base);
  else if (input.duration != AV_NOPTS_VALUE && input.duration > 0)
    info.duration_s = static_cast<double>(input.duration) / AV_TIME_BASE;
  if (stream.nb_frames > 0 && !source.has_field_packets())
    info.num_frames = stream.nb_frames;
  else if (info.duration_s > 0)
    info.num_frames = std::llround(info.duration_s * av_q2d(rate));
  for (unsigned i = 0; i < input.nb_streams; ++i)
    info.streams.push_back(summary_of(*input.streams[i], stream.index));
}

}  // namespace

InputInfo summarize(const PacketSource& source, const AVFrame& first_frame) {
  InputInfo info;
  info.container = source.container();
  info.codec = avcodec_get_name(source.codec().codec_id);
  info.time_base = rational(source.time_base());
  info.coded_width_px = first_frame.width;
  info.coded_height_px = first_frame.height;
  info.frame_sample_aspect = rational(first_frame.sample_aspect_ratio);
  info.color_primaries = first_frame.color_primaries;
  info.color_transfer = first_frame.color_trc;
  info.color_matrix_tag = first_frame.colorspace;
  info.color_range_tag = first_frame.color_range;
  info.chroma_location_tag = first_frame.chroma_location;
  info.frame_timecodes = av_frame_get_side_data(&first_frame, AV_FRAME_DATA_S12M_TIMECODE) != nullptr;
  std::vector<std::byte> side_data;
  if (source.input() != nullptr) {
    add_file_facts(source, first_frame, info);
    side_data = pack_stream_side_data(*source.stream());
  } else {
    info.frame_rate = {25, 1};
    info.sample_aspect = rational(first_frame.sample_aspect_ratio);
    info.num_frames = source.num_pictures();
    info.duration_s = static_cast<double>(source.num_pictures()) / 25.0;
    StreamSummary summary;
    summary.kind = "video";
    summary.codec = info.codec;
    summary.description =
        concat(source.num_pictures(), source.num_pictures() == 1 ? " picture, " : " pictures, ",
               first_frame.width, "x", first_frame.height, " 25 frames/s");
    summary.styled = true;
    info.streams.push_back(summary);
  }
  info.stream_side_data = add_frame_to_stream_side_data(side_data, first_frame);
  return info;
}

}  // namespace atelier::media
