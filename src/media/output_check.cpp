#include "output_check.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "atelier/base/text.h"
#include "compat.h"
#include "input_io.h"
#include "output_format.h"

namespace atelier::media {
namespace {

/// Keys that describe a container or a bitstream, not the video.
bool is_technical(std::string_view key) {
  std::string lower(key);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  static constexpr std::array<std::string_view, 11> starts{
      "handler_name", "vendor_id", "encoder",  "duration",    "_statistics_",     "bps",
      "number_of_",   "filename",  "mimetype", "major_brand", "compatible_brands"};
  return lower == "minor_version" ||
         std::any_of(starts.begin(), starts.end(), [&](std::string_view s) { return lower.starts_with(s); });
}

// What a container writes where nobody set anything; MP4 gives 1970 back for a clock of zero.
bool says_nothing(std::string_view key, std::string_view value) {
  return (key == "language" && value == "und") ||
         (key == "creation_time" && value.starts_with("1970-01-01T00:00:00"));
}

std::vector<std::string> missing_keys(const AVDictionary* given, const AVDictionary* kept) {
  std::vector<std::string> missing;
  const AVDictionaryEntry* entry = nullptr;
  while ((entry = av_dict_get(given, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr) {
    if (!is_technical(entry->key) && !says_nothing(entry->key, entry->value) &&
        av_dict_get(kept, entry->key, nullptr, 0) == nullptr)
      missing.emplace_back(entry->key);
  }
  return missing;
}

bool has_side_data(const AVStream& stream, AVPacketSideDataType type) {
  for (int i = 0; i < compat::num_stream_side_data(stream); ++i)
    if (compat::stream_side_data(stream, i).type == type) return true;
  return false;
}

std::vector<std::string> missing_side_data(const AVStream& given, const AVStream& kept) {
  struct Kind {
    AVPacketSideDataType type;
    const char* name;
  };
  static constexpr std::array<Kind, 4> kinds{{{AV_PKT_DATA_DISPLAYMATRIX, "rotation"},
                                              {AV_PKT_DATA_SPHERICAL, "spherical projection"},
                                              {AV_PKT_DATA_STEREO3D, "stereo 3D mode"},
                                              {AV_PKT_DATA_ICC_PROFILE, "colour profile"}}};
  std::vector<std::string> missing;
  for (const Kind& kind : kinds)
    if (has_side_data(given, kind.type) && !has_side_data(kept, kind.type)) missing.emplace_back(kind.name);
  return missing;
}

/// Null where FFmpeg cannot read the container.
InputPtr open_output(const std::filesystem::path& path) {
  auto file = std::make_unique<InputFile>(path);
  const AVInputFormat* format = nullptr;
  int result = av_probe_input_buffer2(file->io.get(), &format, file_url(path).c_str(), nullptr, 0, 0);
  file->reader.throw_if_failed();
  Options options;
  return result < 0 ? nullptr : open_demuxer(std::move(file), *format, options, result);
}

}  // namespace

std::string missing_in_file(const std::filesystem::path& file, const AVFormatContext& given) {
  const InputPtr kept = open_output(file);
  if (!kept) return {};  // a container only for writing
  std::vector<std::string> missing = missing_keys(given.metadata, kept->metadata);
  for (unsigned i = 0; i < std::min(given.nb_streams, kept->nb_streams); ++i) {
    const AVStream& before = *given.streams[i];
    const AVStream& after = *kept->streams[i];
    if (before.codecpar->codec_type != after.codecpar->codec_type) continue;
    std::vector<std::string> parts = missing_keys(before.metadata, after.metadata);
    const std::vector<std::string> side = missing_side_data(before, after);
    parts.insert(parts.end(), side.begin(), side.end());
    if (!parts.empty()) missing.push_back(concat(join(parts, ", "), " of stream ", i));
  }
  if (given.nb_chapters > kept->nb_chapters)
    missing.push_back(concat(given.nb_chapters - kept->nb_chapters, " chapters"));
  if (missing.empty()) return {};
  return concat(container_name(*given.oformat),
                " cannot hold everything; these are lost: ", join(missing, ", "), ".");
}

}  // namespace atelier::media
