#include "output_streams.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string_view>

#include "atelier/base/text.h"
#include "compat.h"
#include "decoder.h"
#include "input.h"
#include "output_format.h"
#include "side_data.h"

namespace atelier::media {
namespace {

AVStream& new_stream(AVFormatContext& output) {
  AVStream* stream = avformat_new_stream(&output, nullptr);
  if (stream == nullptr) throw std::bad_alloc();
  return *stream;
}

void copy_side_data(const AVStream& from, AVStream& to) {
#if ATELIER_MEDIA_CODED_SIDE_DATA
  static_cast<void>(from);  // travels with the codec parameters
  static_cast<void>(to);
#else
  for (int i = 0; i < compat::num_stream_side_data(from); ++i) {
    const AVPacketSideData& data = compat::stream_side_data(from, i);
    std::uint8_t* copy = compat::new_stream_side_data(to, data.type, data.size);
    if (copy == nullptr) throw std::bad_alloc();
    std::memcpy(copy, data.data, data.size);
  }
#endif
}

void copy_stream(const AVStream& from, AVFormatContext& output, AVStream& to) {
  check_av(avcodec_parameters_copy(to.codecpar, from.codecpar), "cannot copy a stream's parameters");
  to.codecpar->codec_tag = codec_tag_for(*output.oformat, *from.codecpar);
  to.time_base = from.time_base;
  to.disposition = from.disposition;
  to.sample_aspect_ratio = from.sample_aspect_ratio;
  to.avg_frame_rate = from.avg_frame_rate;
  to.r_frame_rate = from.r_frame_rate;
  copy_side_data(from, to);
  av_dict_copy(&to.metadata, from.metadata, 0);
}

/// The track that a MOV keeps its chapter titles in; the muxer makes a new one.
bool is_chapter_track(const AVStream& stream, const AVFormatContext& input) {
  return input.nb_chapters > 0 && stream.codecpar->codec_id == AV_CODEC_ID_BIN_DATA &&
         stream.codecpar->codec_tag == MKTAG('t', 'e', 'x', 't');
}

/// Likewise for the timecode, which the muxer makes from the video's metadata.
bool is_timecode_track(const AVStream& stream, const AVOutputFormat& format) {
  return stream.codecpar->codec_tag == MKTAG('t', 'm', 'c', 'd') && is_mov_family(format);
}

/// FFmpeg's muxer of the family takes covers for these, and passes over them for the others.
bool holds_covers(const AVOutputFormat& format) {
  return std::string_view(format.name) == "mp4" || std::string_view(format.name) == "ipod";
}

/// Matroska keeps cover art among its attachments.
void add_cover_attachment(const AVStream& from, AVFormatContext& output) {
  AVStream& to = new_stream(output);
  const AVPacket& picture = from.attached_pic;
  AVCodecParameters& codec = *to.codecpar;
  codec.codec_type = AVMEDIA_TYPE_ATTACHMENT;
  codec.codec_id = from.codecpar->codec_id;
  codec.extradata = static_cast<std::uint8_t*>(
      av_mallocz(static_cast<std::size_t>(picture.size) + AV_INPUT_BUFFER_PADDING_SIZE));
  if (codec.extradata == nullptr) throw std::bad_alloc();
  codec.extradata_size = picture.size;
  std::memcpy(codec.extradata, picture.data, static_cast<std::size_t>(picture.size));
  av_dict_copy(&to.metadata, from.metadata, 0);
  const bool is_png = codec.codec_id == AV_CODEC_ID_PNG;
  av_dict_set(&to.metadata, "filename", is_png ? "cover.png" : "cover.jpg", AV_DICT_DONT_OVERWRITE);
  av_dict_set(&to.metadata, "mimetype", is_png ? "image/png" : "image/jpeg", AV_DICT_DONT_OVERWRITE);
}

std::string left_out(const AVStream& stream, const AVOutputFormat& format) {
  const char* kind = av_get_media_type_string(stream.codecpar->codec_type);
  const AVCodecParameters& codec = *stream.codecpar;
  std::string name = avcodec_get_name(codec.codec_id);
  if (codec.codec_id == AV_CODEC_ID_NONE && codec.codec_tag != 0) {
    std::array<char, AV_FOURCC_MAX_STRING_SIZE> tag{};
    name = av_fourcc_make_string(tag.data(), codec.codec_tag);
  }
  return concat("Stream ", stream.index, " (",
                is_cover_art(stream) ? "cover"
                : kind == nullptr    ? "unknown"
                                     : kind,
                ", ", name, ") is left out: ", container_name(format), " cannot hold it.");
}

void add_copied_stream(int index, CopiedStreams& copied, AVFormatContext& output,
                       std::vector<std::string>& warnings) {
  const AVFormatContext& input = *copied.input();
  const AVStream& stream = *input.streams[index];
  const AVOutputFormat& format = *output.oformat;
  const bool is_cover = (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
  if (is_chapter_track(stream, input) || is_timecode_track(stream, format)) return;
  const bool is_matroska = std::string_view(format.name) == "matroska";
  if (is_cover && stream.attached_pic.size > 0 && is_matroska &&
      (stream.codecpar->codec_id == AV_CODEC_ID_PNG || stream.codecpar->codec_id == AV_CODEC_ID_MJPEG)) {
    add_cover_attachment(stream, output);
    return;
  }
  const bool is_attachment = stream.codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT;
  const bool loses_cover = is_cover && is_mov_family(format) && !holds_covers(format);
  const bool holds = is_attachment ? is_matroska : !loses_cover && header_works(format, *stream.codecpar);
  if (!holds) {
    warnings.push_back(left_out(stream, format));
    return;
  }
  AVStream& to = new_stream(output);
  copy_stream(stream, output, to);
  if (!is_attachment) copied.select(index, to);
}

/// What describes the bitstream that the styled one replaces.
void drop_stale_metadata(AVStream& stream) {
  static constexpr std::array<std::string_view, 8> stale{
      "encoder",         "BPS",          "DURATION",  "NUMBER_OF_FRAMES",
      "NUMBER_OF_BYTES", "_STATISTICS_", "vendor_id", "ENCODER"};
  std::vector<std::string> keys;
  const AVDictionaryEntry* entry = nullptr;
  while ((entry = av_dict_get(stream.metadata, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr)
    if (std::any_of(stale.begin(), stale.end(),
                    [&](std::string_view s) { return std::string_view(entry->key).starts_with(s); }))
      keys.emplace_back(entry->key);
  for (const std::string& key : keys) av_dict_set(&stream.metadata, key.c_str(), nullptr, 0);
  av_dict_set(&stream.metadata, alpha_mode_key, nullptr, 0);  // The muxer sets it by the pixel format.
}

AVStream& add_styled_stream(const MuxerConfig& config, const AVCodecParameters& encoder,
                            const AVStream* source, AVFormatContext& output) {
  AVStream& stream = new_stream(output);
  if (source != nullptr) {
    stream.disposition = source->disposition;
    av_dict_copy(&stream.metadata, source->metadata, 0);
    drop_stale_metadata(stream);
  }
  check_av(avcodec_parameters_copy(stream.codecpar, &encoder), "cannot describe the video stream");
  stream.codecpar->video_delay = config.encoder.reorder_frames;
  stream.codecpar->codec_tag = codec_tag_for(*output.oformat, encoder);
  if (is_mov_family(*output.oformat) && encoder.codec_id == AV_CODEC_ID_HEVC)
    stream.codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
  stream.time_base = {config.encoder.time_base.num, config.encoder.time_base.den};
  stream.sample_aspect_ratio = {config.encoder.sample_aspect.num, config.encoder.sample_aspect.den};
  const Rational rate = config.input.frame_rate;
  if (rate.num > 0 && rate.den > 0) {
    stream.avg_frame_rate = stream.r_frame_rate = {rate.num, rate.den};
    // AVI counts frames.
    if (std::string_view(output.oformat->name) == "avi") stream.time_base = {rate.den, rate.num};
  }
  for (const SideDataEntry& entry : unpack_entries(config.encoder.stream_side_data)) {
    if (entry.data.empty()) continue;  // it does not fit the styled stream
    std::uint8_t* data = compat::new_stream_side_data(stream, static_cast<AVPacketSideDataType>(entry.type),
                                                      entry.data.size());
    if (data == nullptr) throw std::bad_alloc();
    std::memcpy(data, entry.data.data(), entry.data.size());
  }
  return stream;
}

void add_chapter(const AVChapter& from, std::int64_t start, std::int64_t end, AVFormatContext& output) {
  auto* chapter = static_cast<AVChapter*>(av_mallocz(sizeof(AVChapter)));
  auto** grown =
      static_cast<AVChapter**>(av_realloc_array(output.chapters, output.nb_chapters + 1, sizeof(AVChapter*)));
  if (chapter == nullptr || grown == nullptr) throw std::bad_alloc();
  output.chapters = grown;
  output.chapters[output.nb_chapters++] = chapter;
  chapter->id = from.id;
  chapter->time_base = from.time_base;
  chapter->start = start;
  chapter->end = end;
  av_dict_copy(&chapter->metadata, from.metadata, 0);
}

/// What belongs together, for containers that can say so. FFmpeg's MPEG-TS muxer loses streams of no
/// programme where there are any.
void copy_programmes(const AVFormatContext& input, const std::vector<int>& output_of, AVFormatContext& output,
                     std::vector<std::string>& warnings) {
  std::set<int> members;
  for (unsigned p = 0; p < input.nb_programs; ++p) {
    const AVProgram& program = *input.programs[p];
    for (unsigned k = 0; k < program.nb_stream_indexes; ++k)
      members.insert(output_of[program.stream_index[k]]);
  }
  bool all_belong = true;
  for (int i = 0; std::cmp_less(i, output.nb_streams); ++i) all_belong = all_belong && members.contains(i);
  if (!all_belong && std::string_view(output.oformat->name) == "mpegts") {
    if (input.nb_programs > 1)
      warnings.emplace_back("All streams go into one programme: some of the input's belong to none.");
    return;
  }
  for (unsigned p = 0; p < input.nb_programs; ++p) {
    const AVProgram& from = *input.programs[p];
    AVProgram* to = av_new_program(&output, from.id);
    if (to == nullptr) throw std::bad_alloc();
    av_dict_copy(&to->metadata, from.metadata, 0);
    for (unsigned k = 0; k < from.nb_stream_indexes; ++k)
      if (const int index = output_of[from.stream_index[k]]; index >= 0)
        av_program_add_stream_index(&output, from.id, static_cast<unsigned>(index));
  }
}

}  // namespace

OutputStreams add_streams(const MuxerConfig& config, const AVCodecParameters& encoder, CopiedStreams& copied,
                          AVFormatContext& output, std::vector<std::string>& warnings) {
  if (copied.input() == nullptr) return {&add_styled_stream(config, encoder, nullptr, output), {0}};
  const AVFormatContext& input = *copied.input();
  OutputStreams streams;
  streams.of_input.assign(input.nb_streams, -1);
  for (int i = 0; std::cmp_less(i, input.nb_streams); ++i) {
    const unsigned num_before = output.nb_streams;
    if (i == config.input.stream_index)
      streams.styled = &add_styled_stream(config, encoder, input.streams[i], output);
    else
      add_copied_stream(i, copied, output, warnings);
    if (output.nb_streams > num_before)
      streams.of_input[static_cast<std::size_t>(i)] = static_cast<int>(num_before);
  }
  copy_programmes(input, streams.of_input, output, warnings);
  return streams;
}

void copy_metadata(const AVFormatContext& input, const MuxerConfig& config, std::int64_t shift_us,
                   AVFormatContext& output) {
  av_dict_copy(&output.metadata, input.metadata, 0);
  // These name the old container.
  for (const char* key : {"major_brand", "minor_version", "compatible_brands", "encoder"})
    av_dict_set(&output.metadata, key, nullptr, 0);
  const AVStream& styled = *input.streams[config.input.stream_index];
  const std::int64_t stream_start_us =
      styled.start_time == AV_NOPTS_VALUE ? 0
                                          : av_rescale_q(styled.start_time, styled.time_base, AV_TIME_BASE_Q);
  const auto cut_us = [&](double seconds_s) {
    return stream_start_us + static_cast<std::int64_t>(seconds_s * AV_TIME_BASE);
  };
  for (unsigned i = 0; i < input.nb_chapters; ++i) {
    const AVChapter& chapter = *input.chapters[i];
    std::int64_t first = std::numeric_limits<std::int64_t>::min();
    std::int64_t last = std::numeric_limits<std::int64_t>::max();
    if (config.start_s > 0) first = av_rescale_q(cut_us(config.start_s), AV_TIME_BASE_Q, chapter.time_base);
    if (config.duration_s > 0)
      last = av_rescale_q(cut_us(config.start_s + config.duration_s), AV_TIME_BASE_Q, chapter.time_base);
    if (chapter.start >= last || (chapter.end != AV_NOPTS_VALUE && chapter.end <= first)) continue;
    const std::int64_t shift = av_rescale_q(shift_us, AV_TIME_BASE_Q, chapter.time_base);
    const std::int64_t end =
        chapter.end == AV_NOPTS_VALUE ? chapter.end : std::min(chapter.end, last) + shift;
    add_chapter(chapter, std::max(chapter.start, first) + shift, end, output);
  }
}

}  // namespace atelier::media
