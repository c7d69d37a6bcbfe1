#include "output_format.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "atelier/base/text.h"

namespace atelier::media {
namespace {

struct OutputFreer {
  void operator()(AVFormatContext* c) const noexcept { avformat_free_context(c); }
};

}  // namespace

const AVOutputFormat& output_format(const std::filesystem::path& output) {
  const AVOutputFormat* format = av_guess_format(nullptr, output.filename().c_str(), nullptr);
  if (format == nullptr)
    throw UsageError(concat("no container is known for output '", output.filename().string(), "'"),
                     output.has_extension() ? "its ending is unknown" : "it has no ending",
                     "Use .mp4, .mov, .mkv or .webm");
  if ((format->flags & AVFMT_NOFILE) != 0 || (format->flags & AVFMT_NEEDNUMBER) != 0 ||
      std::string_view(format->name).starts_with("image2"))
    throw UsageError(concat("output '", output.filename().string(), "' is no video file"),
                     concat("its ending means ", format->name), "Use .mp4, .mov, .mkv or .webm");
  return *format;
}

std::string container_name(const AVOutputFormat& format) {
  const std::string_view name = format.name;
  if (name == "mp4") return "MP4";
  if (name == "mov") return "MOV";
  if (name == "matroska") return "Matroska";
  if (name == "webm") return "WebM";
  return std::string(name);
}

bool is_mov_family(const AVOutputFormat& format) {
  static constexpr std::array<std::string_view, 6> names{"mp4", "mov", "ipod", "3gp", "3g2", "psp"};
  return std::find(names.begin(), names.end(), format.name) != names.end();
}

bool is_matroska_family(const AVOutputFormat& format) {
  return std::string_view(format.name) == "matroska" || std::string_view(format.name) == "webm";
}

unsigned codec_tag_for(const AVOutputFormat& format, const AVCodecParameters& codec) {
  if (format.codec_tag == nullptr) return codec.codec_tag;
  return av_codec_get_id(format.codec_tag, codec.codec_tag) == codec.codec_id ? codec.codec_tag : 0;
}

bool needs_metadata_keys(const AVFormatContext& output) {
  // What FFmpeg writes without names; tried.
  static constexpr std::array<std::string_view, 11> in_both{
      "title",     "artist",   "album",         "comment",  "genre",  "date",
      "copyright", "location", "creation_time", "timecode", "encoder"};
  static constexpr std::array<std::string_view, 2> in_mov{"make", "model"};
  static constexpr std::array<std::string_view, 17> in_mp4{
      "composer", "album_artist",  "track",      "disc",         "grouping",        "lyrics",
      "synopsis", "show",          "network",    "keywords",     "description",     "episode_id",
      "hd_video", "season_number", "media_type", "episode_sort", "gapless_playback"};
  const std::string_view name(output.oformat->name);
  const bool is_mov = name == "mov";
  if (!is_mov && name != "mp4" && name != "ipod") return false;
  const auto has = [](const auto& keys, const std::string& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  const AVDictionaryEntry* entry = nullptr;
  while ((entry = av_dict_get(output.metadata, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr) {
    std::string key(entry->key);
    std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::tolower(c); });
    // MOV gives "title-eng" beside "title".
    if (key.size() > 4 && key[key.size() - 4] == '-') key.resize(key.size() - 4);
    if (!has(in_both, key) && !(is_mov ? has(in_mov, key) : has(in_mp4, key))) return true;
  }
  return false;
}

std::optional<std::vector<std::uint8_t>> trial_header(const AVOutputFormat& format,
                                                      const AVCodecParameters& codec) {
  AVFormatContext* raw = nullptr;
  if (avformat_alloc_output_context2(&raw, &format, nullptr, nullptr) < 0) throw std::bad_alloc();
  const std::unique_ptr<AVFormatContext, OutputFreer> trial(raw);
  AVStream* stream = avformat_new_stream(trial.get(), nullptr);
  if (stream == nullptr) throw std::bad_alloc();
  check_av(avcodec_parameters_copy(stream->codecpar, &codec), "cannot copy a stream's parameters");
  stream->codecpar->codec_tag = codec_tag_for(format, codec);
  stream->time_base = {1, 25};
  stream->avg_frame_rate = {25, 1};
  if (avio_open_dyn_buf(&trial->pb) < 0) throw std::bad_alloc();
  trial->flags |= AVFMT_FLAG_BITEXACT;
  trial->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
  const bool works = avformat_write_header(trial.get(), nullptr) >= 0;
  std::uint8_t* bytes = nullptr;
  const int size_bytes = avio_close_dyn_buf(trial->pb, &bytes);
  trial->pb = nullptr;
  std::optional<std::vector<std::uint8_t>> header;
  if (works) header.emplace(bytes, bytes + size_bytes);
  av_free(bytes);
  return header;
}

bool header_works(const AVOutputFormat& format, const AVCodecParameters& codec) {
  return trial_header(format, codec).has_value();
}

}  // namespace atelier::media
