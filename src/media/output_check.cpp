#include "output_check.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "atelier/base/text.h"
#include "atelier/media/video_reader.h"
#include "compat.h"
#include "decoder.h"
#include "input.h"
#include "matroska_tracks.h"
#include "side_data.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

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
         (key == "creation_time" && value.starts_with("1970-01-01T00:00:00")) ||
         (key == "service_name" && value == "Service01") || (key == "service_provider" && value == "FFmpeg");
}

std::vector<std::string> missing_keys(const AVDictionary* given, const AVDictionary* kept) {
  std::vector<std::string> missing;
  const AVDictionaryEntry* entry = nullptr;
  while ((entry = av_dict_get(given, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr) {
    if (is_technical(entry->key) || says_nothing(entry->key, entry->value)) continue;
    const AVDictionaryEntry* found = av_dict_get(kept, entry->key, nullptr, 0);
    if (found == nullptr)
      missing.emplace_back(entry->key);
    else if (std::string_view(entry->key) == "language" && std::string_view(entry->value) != found->value)
      missing.push_back(concat("language '", entry->value, "' (it becomes '", found->value, "')"));
  }
  return missing;
}

/// Of those alike in kind and codec, in the given order: FFmpeg's MP4 muxer leaves out a stream without
/// packets. Null: it is not there.
std::vector<const AVStream*> kept_streams(const AVFormatContext& given, const AVFormatContext& kept) {
  std::vector<const AVStream*> found(given.nb_streams, nullptr);
  const bool is_complete = kept.nb_streams == given.nb_streams;
  unsigned next = 0;
  for (unsigned i = 0; i < given.nb_streams; ++i) {
    if (is_complete) {
      found[i] = kept.streams[i];
      continue;
    }
    for (unsigned k = next; k < kept.nb_streams && found[i] == nullptr; ++k) {
      if (kept.streams[k]->codecpar->codec_type != given.streams[i]->codecpar->codec_type ||
          kept.streams[k]->codecpar->codec_id != given.streams[i]->codecpar->codec_id)
        continue;
      found[i] = kept.streams[k];
      next = k + 1;
    }
  }
  return found;
}

/// Default means something only where another stream of the kind is none.
bool tells_default(const AVFormatContext& file, const AVStream& stream) {
  for (unsigned i = 0; i < file.nb_streams; ++i)
    if (file.streams[i]->codecpar->codec_type == stream.codecpar->codec_type &&
        (file.streams[i]->disposition & AV_DISPOSITION_DEFAULT) == 0)
      return true;
  return false;
}

std::vector<std::string> missing_dispositions(const AVFormatContext& file, const AVStream& given,
                                              const AVStream& kept) {
  std::vector<std::string> missing;
  unsigned lost = static_cast<unsigned>(given.disposition) & ~static_cast<unsigned>(kept.disposition);
  if (!tells_default(file, given)) lost &= ~static_cast<unsigned>(AV_DISPOSITION_DEFAULT);
  for (unsigned bit = 1; bit != 0; bit <<= 1) {
    const char* name = (lost & bit) == 0 ? nullptr : av_disposition_to_string(static_cast<int>(bit));
    if (name != nullptr) missing.push_back(concat("disposition '", name, "'"));
  }
  return missing;
}

std::set<int> side_data_kinds(const AVStream& stream) {
  std::set<int> kinds;
  for (int i = 0; i < compat::num_stream_side_data(stream); ++i) {
    const int type = compat::stream_side_data(stream, i).type;
    if (!describes_bit_stream(type)) kinds.insert(type);
  }
  return kinds;
}

std::set<int> without(std::set<int> given, const std::set<int>& kept) {
  std::erase_if(given, [&](int kind) { return kept.contains(kind); });
  return given;
}

bool has_alpha(const std::string& pixel_format) {
  const AVPixFmtDescriptor* pixels = av_pix_fmt_desc_get(av_get_pix_fmt(pixel_format.c_str()));
  return pixels != nullptr && (pixels->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
}

/// What the encoder was told of the picture and the file does not say.
std::vector<std::string> missing_tags(const EncoderConfig& given, const InputInfo& kept) {
  constexpr int unspecified = 2;
  std::vector<std::string> missing;
  const auto differs = [](int told, int found) { return told != unspecified && told != found; };
  if (differs(given.color_primaries, kept.color_primaries)) missing.emplace_back("colour primaries");
  if (differs(given.color_transfer, kept.color_transfer)) missing.emplace_back("transfer characteristics");
  if (given.color_matrix_tag != AVCOL_SPC_RGB && differs(given.color_matrix_tag, kept.color_matrix_tag))
    missing.emplace_back("colour matrix");
  if (given.color_range_tag == AVCOL_RANGE_JPEG && given.color_matrix_tag != AVCOL_SPC_RGB &&
      kept.color_range_tag != AVCOL_RANGE_JPEG)
    missing.emplace_back("full range");
  const Rational told = given.sample_aspect;
  const Rational found = kept.sample_aspect;
  if (told.num > 0 && told.num != told.den &&
      std::int64_t{told.num} * found.den != std::int64_t{found.num} * told.den)
    missing.emplace_back("sample aspect ratio");
  return missing;
}

std::optional<InputInfo> styled_info(const std::filesystem::path& file, const AVStream* stream) {
  if (stream == nullptr) return std::nullopt;
  try {
    return VideoReader({.path = file, .stream = stream->index}).info();
  } catch (const Error&) {
    return std::nullopt;
  }
}

void add_styled_losses(const std::filesystem::path& file, const GivenFile& given, const AVStream* stream,
                       Losses& losses) {
  const std::optional<InputInfo> kept = styled_info(file, stream);
  if (!kept) return;
  losses.frame_kinds =
      without(frame_kinds_of(given.input.first_frame_side_data), frame_kinds_of(kept->first_frame_side_data));
  for (const int kind : losses.frame_kinds)
    losses.items.push_back(concat(frame_side_data_name(kind), " of the frames"));
  std::vector<std::string> parts;
  for (const int kind : without(kinds_of(given.input.stream_side_data), kinds_of(kept->stream_side_data)))
    parts.push_back(stream_side_data_name(kind));
  // An encoder without alpha was named before.
  if (has_alpha(given.encoder.pixel_format) && !kept->format.has_alpha) parts.emplace_back("transparency");
  const std::vector<std::string> tags = missing_tags(given.encoder, *kept);
  parts.insert(parts.end(), tags.begin(), tags.end());
  if (!parts.empty())
    losses.items.push_back(concat(join(parts, ", "), " of stream ", given.streams.styled->index));
}

void add_programme_losses(const AVFormatContext& given, const AVFormatContext& kept, Losses& losses) {
  if (given.nb_programs > 1 && kept.nb_programs < given.nb_programs) {
    losses.items.push_back(concat("the division into ", given.nb_programs, " programmes"));
    return;
  }
  for (unsigned i = 0; i < given.nb_programs; ++i) {
    const AVDictionary* found = i < kept.nb_programs ? kept.programs[i]->metadata : nullptr;
    for (const std::string& key : missing_keys(given.programs[i]->metadata, found))
      losses.items.push_back(concat(key, " of programme ", given.programs[i]->id));
  }
}

/// A language tag without subtags says what the three letters beside it say.
bool says_more(const std::string& bcp47, const AVStream* kept) {
  if (bcp47.empty() || kept == nullptr) return false;
  const AVDictionaryEntry* language = av_dict_get(kept->metadata, "language", nullptr, 0);
  const std::string_view name = language == nullptr ? "und" : language->value;
  return name != bcp47 && (name == "und" || bcp47.find('-') != std::string::npos);
}

AVCodecID codec_named(const std::string& name) {
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get_by_name(name.c_str());
  return descriptor == nullptr ? AV_CODEC_ID_NONE : descriptor->id;
}

/// streams: those of the file, by index of the output as it was given.
void add_matroska_losses(const std::filesystem::path& file, const GivenFile& given,
                         const std::vector<const AVStream*>& streams, Losses& losses) {
  const std::vector<MatroskaTrack> before = read_matroska_tracks(given.input.path);
  const std::vector<MatroskaTrack> after = read_matroska_tracks(file);
  std::vector<std::string> numbers;
  std::vector<std::string> new_numbers;
  bool has_gap = false;
  for (std::size_t i = 0; i < std::min(before.size(), given.streams.of_input.size()); ++i) {
    const int index = given.streams.of_input[i];
    if (index < 0) continue;
    const auto at = static_cast<std::size_t>(index);
    const MatroskaTrack kept = at < after.size() ? after[at] : MatroskaTrack{};
    // A decoder that reads transparency has told whether there is any.
    if (index == given.streams.styled->index && before[i].has_alpha && !given.input.format.has_alpha &&
        !reads_alpha_beside(codec_named(given.input.codec)))
      losses.items.push_back(concat("transparency of stream ", index));
    if (before[i].crop != std::array<std::uint64_t, 4>{} && before[i].crop != kept.crop)
      losses.items.push_back(concat("crop of stream ", index));
    if (before[i].language_bcp47 != kept.language_bcp47 && says_more(before[i].language_bcp47, streams[at]))
      losses.items.push_back(concat("language '", before[i].language_bcp47, "' of stream ", index));
    numbers.push_back(concat(before[i].number));
    new_numbers.push_back(concat(kept.number));
    has_gap = has_gap || before[i].number != i + 1;
  }
  if (has_gap && numbers != new_numbers)
    losses.items.push_back(concat("track numbers ", join(numbers, ", ")));
}

}  // namespace

Losses losses_in_file(const std::filesystem::path& file, const GivenFile& given) {
  InputPtr kept;
  try {
    kept = open_input(file);
  } catch (const UsageError&) {
    return {};  // a container only for writing
  }
  Losses losses;
  losses.items = missing_keys(given.output.metadata, kept->metadata);
  const std::vector<const AVStream*> streams = kept_streams(given.output, *kept);
  for (unsigned i = 0; i < given.output.nb_streams; ++i) {
    const AVStream& before = *given.output.streams[i];
    const bool is_styled = static_cast<int>(i) == given.streams.styled->index;
    if (is_styled) add_styled_losses(file, given, streams[i], losses);
    if (streams[i] == nullptr) {
      if (given.is_whole) losses.items.push_back(concat("stream ", i, ", which has no packets"));
      continue;
    }
    const AVStream& after = *streams[i];
    if (before.codecpar->codec_type != after.codecpar->codec_type) continue;
    std::vector<std::string> parts = missing_keys(before.metadata, after.metadata);
    const std::vector<std::string> dispositions = missing_dispositions(given.output, before, after);
    parts.insert(parts.end(), dispositions.begin(), dispositions.end());
    if (!is_styled)
      for (const int kind : without(side_data_kinds(before), side_data_kinds(after)))
        parts.push_back(stream_side_data_name(kind));
    if (!parts.empty()) losses.items.push_back(concat(join(parts, ", "), " of stream ", i));
  }
  if (given.output.nb_chapters > kept->nb_chapters)
    losses.items.push_back(concat(given.output.nb_chapters - kept->nb_chapters, " chapters"));
  add_programme_losses(given.output, *kept, losses);
  add_matroska_losses(file, given, streams, losses);
  return losses;
}

std::string loss_sentence(const std::string& container, const std::vector<std::string>& items) {
  if (items.empty()) return {};
  return concat(container, " cannot hold everything; these are lost: ", join(items, ", "), ".");
}

}  // namespace atelier::media
