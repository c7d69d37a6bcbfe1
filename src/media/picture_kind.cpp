#include "picture_kind.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

extern "C" {
#include <libavutil/avutil.h>
}

namespace atelier::media {
namespace {

using namespace std::string_view_literals;

bool has_at(std::string_view head, std::size_t offset, std::string_view bytes) {
  return head.size() >= offset + bytes.size() && head.substr(offset, bytes.size()) == bytes;
}

bool is_webp(std::string_view head) {
  return has_at(head, 0, "RIFF") && has_at(head, 8, "WEBP");
}

/// True where the file type box of an ISO base media file (ISO/IEC 14496-12, 4.3) has one of the brands.
template <std::size_t count>
bool has_brand(std::string_view head, const std::array<std::string_view, count>& brands) {
  if (!has_at(head, 4, "ftyp")) return false;
  std::size_t box_bytes = 0;
  for (const char c : head.substr(0, 4)) box_bytes = box_bytes << 8 | static_cast<unsigned char>(c);
  const std::size_t end = std::min(box_bytes, head.size());
  // The major brand, a version, then the compatible brands.
  for (std::size_t at = 8; at + 4 <= end; at += at == 8 ? 8 : 4)
    if (std::find(brands.begin(), brands.end(), head.substr(at, 4)) != brands.end()) return true;
  return false;
}

}  // namespace

bool has_picture_signature(std::string_view head) {
  for (const std::string_view start :
       {"\xFF\xD8\xFF"sv, "\x89PNG\r\n\x1A\n"sv, "GIF87a"sv, "GIF89a"sv, "II*\0"sv, "MM\0*"sv,
        "\0\0\0\x0CJXL \r\n\x87\n"sv, "\xFF\x0A"sv, "\0\0\0\x0CjP  \r\n\x87\n"sv})
    if (head.starts_with(start)) return true;
  // A bitmap's reserved words are zero.
  return is_webp(head) || (head.starts_with("BM") && has_at(head, 6, "\0\0\0\0"sv)) ||
         has_brand(head, std::array{"avif"sv, "heic"sv, "heix"sv, "mif1"sv});
}

bool is_animated_webp(std::string_view head) {
  constexpr unsigned animation = 0x02;  // of the flags of the extended header
  return is_webp(head) && has_at(head, 12, "VP8X") && head.size() > 20 &&
         (static_cast<unsigned char>(head[20]) & animation) != 0;
}

std::string rare_picture_kind(std::string_view head) {
  if (is_animated_webp(head)) return "an animated WebP picture";
  if (has_brand(head, std::array{"avif"sv, "avis"sv})) return "an AVIF picture";
  if (has_brand(head,
                std::array{"heic"sv, "heix"sv, "heim"sv, "heis"sv, "hevc"sv, "hevx"sv, "mif1"sv, "msf1"sv}))
    return "a HEIC picture";
  return {};
}

void throw_rare_kind(const std::string& quoted_name, const std::string& kind, const std::string& why) {
  throw UsageError(concat(quoted_name, " is ", kind, ", which FFmpeg ", av_version_info(), " cannot read"),
                   why, "Convert it to PNG or JPEG first");
}

}  // namespace atelier::media
