#include "orientation.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

extern "C" {
#include <libavutil/intreadwrite.h>
}

namespace atelier::media {
namespace {

using Matrix = std::array<std::int32_t, 9>;

constexpr std::int32_t one = 1 << 16;

/// EXIF 2.32, 4.6.4: where row 0 and column 0 of the stored picture are seen. Index: orientation - 1.
constexpr Orientation exif_orientations[] = {
    {false, false, false}, {false, true, false}, {false, true, true}, {false, false, true},
    {true, false, false},  {true, true, false},  {true, true, true},  {true, false, true},
};

bool is_exif_orientation(long value) {
  return value >= 1 && value <= 8;
}

std::span<const std::byte> part(std::span<const std::byte> bytes, std::size_t offset, std::size_t size) {
  return offset > bytes.size() || size > bytes.size() - offset ? std::span<const std::byte>()
                                                               : bytes.subspan(offset, size);
}

/// Of a TIFF structure (TIFF 6.0, section 2): tag 274 of its first directory.
int tiff_orientation(std::span<const std::byte> tiff) {
  const auto head = part(tiff, 0, 8);
  if (head.empty()) return 1;
  const bool little = head[0] == std::byte{'I'};
  const auto word = [&](std::span<const std::byte> at) -> unsigned {
    const auto* data = reinterpret_cast<const std::uint8_t*>(at.data());
    return at.size() == 2 ? (little ? AV_RL16(data) : AV_RB16(data))
                          : (little ? AV_RL32(data) : AV_RB32(data));
  };
  if (word(head.subspan(2, 2)) != 42) return 1;
  const std::size_t directory = word(head.subspan(4, 4));
  const auto count = part(tiff, directory, 2);
  if (count.empty()) return 1;
  constexpr std::size_t entry_bytes = 12;
  constexpr unsigned orientation_tag = 274;
  for (std::size_t i = 0; i < word(count); ++i) {
    const auto entry = part(tiff, directory + 2 + i * entry_bytes, entry_bytes);
    if (entry.empty()) break;
    if (word(entry.first(2)) != orientation_tag) continue;
    const auto value = static_cast<int>(word(entry.subspan(8, 2)));
    return is_exif_orientation(value) ? value : 1;
  }
  return 1;
}

/// The data of a PNG file's eXIf chunk.
std::span<const std::byte> png_exif(std::span<const std::byte> file) {
  std::size_t at = 8;
  for (;;) {
    const auto head = part(file, at, 8);
    if (head.empty()) return {};
    const std::size_t size = AV_RB32(reinterpret_cast<const std::uint8_t*>(head.data()));
    if (std::memcmp(head.data() + 4, "eXIf", 4) == 0) return part(file, at + 8, size);
    at += size + 12;
  }
}

}  // namespace

Orientation orientation_of(std::span<const std::byte> display_matrix) {
  Matrix m{};
  if (display_matrix.size() < sizeof m) return {};
  std::memcpy(m.data(), display_matrix.data(), sizeof m);
  // (x, y) goes to (m0 x + m3 y, m1 x + m4 y).
  const bool transposed = std::abs(std::int64_t{m[0]}) < std::abs(std::int64_t{m[1]});
  return {transposed, transposed ? m[3] < 0 : m[0] < 0, transposed ? m[1] < 0 : m[4] < 0};
}

Orientation orientation_of(const AVFrame& frame) {
  if (const AVFrameSideData* data = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX))
    return orientation_of(std::as_bytes(std::span(data->data, data->size)));
  const AVDictionaryEntry* entry = av_dict_get(frame.metadata, "Orientation", nullptr, 0);
  const long value = entry == nullptr ? 1 : std::strtol(entry->value, nullptr, 10);
  return is_exif_orientation(value) ? exif_orientations[value - 1] : Orientation{};
}

int stored_orientation(std::span<const std::byte> file) {
  const std::string_view start(reinterpret_cast<const char*>(file.data()),
                               std::min<std::size_t>(file.size(), 8));
  if (start == "\x89PNG\r\n\x1A\n") return tiff_orientation(png_exif(file));
  if (start.starts_with("II") || start.starts_with("MM")) return tiff_orientation(file);
  return 1;
}

void put_display_matrix(int exif_orientation, AVPacket& packet) {
  const Orientation o = exif_orientations[exif_orientation - 1];
  const std::int32_t x = o.flip_x ? -one : one;
  const std::int32_t y = o.flip_y ? -one : one;
  Matrix matrix = o.transposed ? Matrix{0, y, 0, x, 0} : Matrix{x, 0, 0, 0, y};
  matrix[8] = 1 << 30;
  std::uint8_t* data = av_packet_new_side_data(&packet, AV_PKT_DATA_DISPLAYMATRIX, sizeof matrix);
  if (data == nullptr) throw std::bad_alloc();
  std::memcpy(data, matrix.data(), sizeof matrix);
}

}  // namespace atelier::media
