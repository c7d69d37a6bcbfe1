#include "matroska_tracks.h"

#include <algorithm>
#include <optional>
#include <span>

#include "atelier/base/file_reader.h"
#include "atelier/base/file_status.h"

namespace atelier::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

// Identifiers of elements, with their length marks.
constexpr std::uint64_t id_ebml = 0x1A45DFA3;
constexpr std::uint64_t id_segment = 0x18538067;
constexpr std::uint64_t id_cluster = 0x1F43B675;
constexpr std::uint64_t id_tracks = 0x1654AE6B;
constexpr std::uint64_t id_track_entry = 0xAE;
constexpr std::uint64_t id_track_number = 0xD7;
constexpr std::uint64_t id_track_type = 0x83;
constexpr std::uint64_t id_language_bcp47 = 0x22B59D;
constexpr std::uint64_t id_video = 0xE0;
constexpr std::uint64_t id_alpha_mode = 0x53C0;
constexpr std::uint64_t ids_crop[] = {0x54BB, 0x54AA, 0x54CC, 0x54DD};

// Video, audio, subtitles, metadata.
constexpr std::uint64_t types_with_streams[] = {1, 2, 17, 33};

constexpr int max_elements = 1000;  // before the tracks
constexpr std::size_t max_header_bytes = 12;
constexpr std::uint64_t max_tracks_bytes = std::uint64_t{16} << 20;

struct Element {
  std::uint64_t id = 0;
  std::uint64_t size_bytes = 0;  ///< of what follows the header; all ones: unknown
  std::size_t header_bytes = 0;
};

/// A number whose first byte says by its leading zeros how many bytes follow.
std::optional<std::uint64_t> take_number(Bytes& bytes, bool keeps_mark, int max_bytes) {
  if (bytes.empty() || bytes[0] == 0) return std::nullopt;
  int num_bytes = 1;
  while ((bytes[0] & (0x80 >> (num_bytes - 1))) == 0) ++num_bytes;
  if (num_bytes > max_bytes || bytes.size() < static_cast<std::size_t>(num_bytes)) return std::nullopt;
  std::uint64_t value = keeps_mark ? bytes[0] : bytes[0] & (0xFF >> num_bytes);
  for (int i = 1; i < num_bytes; ++i) value = value << 8 | bytes[static_cast<std::size_t>(i)];
  bytes = bytes.subspan(static_cast<std::size_t>(num_bytes));
  return value;
}

std::optional<Element> take_header(Bytes& bytes) {
  const std::size_t before = bytes.size();
  const std::optional<std::uint64_t> id = take_number(bytes, true, 4);
  const std::optional<std::uint64_t> size = id ? take_number(bytes, false, 8) : std::nullopt;
  if (!size) return std::nullopt;
  return Element{*id, *size, before - bytes.size()};
}

/// Calls visit(id, content) for every element in bytes, as far as they are whole.
template <typename Visit>
void for_each_element(Bytes bytes, Visit visit) {
  while (const std::optional<Element> element = take_header(bytes)) {
    if (element->size_bytes > bytes.size()) return;
    const auto size = static_cast<std::size_t>(element->size_bytes);
    visit(element->id, bytes.first(size));
    bytes = bytes.subspan(size);
  }
}

std::uint64_t unsigned_of(Bytes content) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : content) value = value << 8 | byte;
  return value;
}

std::string text_of(Bytes content) {
  return {content.begin(), std::find(content.begin(), content.end(), std::uint8_t{0})};
}

std::vector<MatroskaTrack> parse_tracks(Bytes tracks) {
  std::vector<MatroskaTrack> all;
  for_each_element(tracks, [&](std::uint64_t id, Bytes entry) {
    if (id != id_track_entry) return;
    MatroskaTrack track;
    std::uint64_t type = 0;
    for_each_element(entry, [&](std::uint64_t field, Bytes content) {
      if (field == id_track_number) track.number = unsigned_of(content);
      if (field == id_track_type) type = unsigned_of(content);
      if (field == id_language_bcp47) track.language_bcp47 = text_of(content);
      if (field != id_video) return;
      for_each_element(content, [&](std::uint64_t part, Bytes value) {
        if (part == id_alpha_mode) track.has_alpha = unsigned_of(value) == 1;
        for (std::size_t side = 0; side < track.crop.size(); ++side)
          if (part == ids_crop[side]) track.crop[side] = unsigned_of(value);
      });
    });
    if (std::find(std::begin(types_with_streams), std::end(types_with_streams), type) !=
        std::end(types_with_streams))
      all.push_back(track);
  });
  return all;
}

std::vector<std::uint8_t> read_bytes(FileReader& file, std::int64_t at, std::size_t num_bytes) {
  std::vector<std::uint8_t> bytes(num_bytes);
  const std::ptrdiff_t got = file.read(at, std::as_writable_bytes(std::span(bytes)));
  file.throw_if_failed();
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

}  // namespace

std::vector<MatroskaTrack> read_matroska_tracks(const std::filesystem::path& path) {
  if (file_status(path).kind != FileStatus::Kind::regular) return {};
  FileReader file(path);
  std::int64_t at = 0;
  for (int i = 0; i < max_elements; ++i) {
    const std::vector<std::uint8_t> head = read_bytes(file, at, max_header_bytes);
    Bytes left = head;
    const std::optional<Element> element = take_header(left);
    if (!element || (i == 0 && element->id != id_ebml) || element->id == id_cluster) return {};
    at += static_cast<std::int64_t>(element->header_bytes);
    if (element->id == id_segment) continue;
    if (element->id == id_tracks) {
      if (element->size_bytes > max_tracks_bytes) return {};
      return parse_tracks(read_bytes(file, at, static_cast<std::size_t>(element->size_bytes)));
    }
    constexpr std::uint64_t max_skip = std::uint64_t{1} << 48;
    if (element->size_bytes > max_skip) return {};
    at += static_cast<std::int64_t>(element->size_bytes);
  }
  return {};
}

}  // namespace atelier::media
