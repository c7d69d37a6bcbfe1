#include "x264_chunks.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace atelier::media {
namespace {

bool is_x264(const EncoderConfig& config) {
  return config.encoder == "libx264" || config.encoder == "libx264rgb";
}

/// Constant rate factor, and neither lossless nor another rate control.
bool has_rate_factor(const EncoderConfig& config) {
  bool found = false;
  for (const auto& [key, value] : config.options) {
    if (key == "qp" || key == "b") return false;
    if (key == "crf") found = std::strtod(value.c_str(), nullptr) > 0;
  }
  return found;
}

}  // namespace

void refine_first_frame(const EncoderConfig& config, AVFrame& frame) {
  if (!is_x264(config) || !has_rate_factor(config)) return;
  AVFrameSideData* data =
      av_frame_new_side_data(&frame, AV_FRAME_DATA_REGIONS_OF_INTEREST, sizeof(AVRegionOfInterest));
  if (data == nullptr) throw std::bad_alloc();
  AVRegionOfInterest region{};
  region.self_size = sizeof region;
  region.bottom = frame.height;
  region.right = frame.width;
  region.qoffset = {-25, 510};  // of a range of 51 steps
  std::copy_n(reinterpret_cast<const std::uint8_t*>(&region), sizeof region, data->data);
}

void drop_x264_settings(std::vector<std::byte>& packet) {
  // NAL unit type 6 (SEI), payload type 5 (unregistered user data), then x264's UUID and text.
  static constexpr std::string_view start("\0\0\1\6\5", 5);
  static constexpr std::string_view uuid("\xdc\x45\xe9\xbd\xe6\xd9\x48\xb7\x96\x2c\xd8\x20\xd9\x23\xee\xef",
                                         16);
  static constexpr std::string_view next("\0\0\1", 3);
  const std::string_view bytes(reinterpret_cast<const char*>(packet.data()), packet.size());
  const std::size_t begin = bytes.find(start);
  if (begin > 1) return;                       // a start code has three or four bytes
  constexpr std::size_t max_length_bytes = 8;  // of the field that tells the payload's length
  const std::size_t id = bytes.find(uuid);
  if (id == std::string_view::npos || id > start.size() + max_length_bytes) return;
  std::size_t end = bytes.find(next, id);
  if (end == std::string_view::npos) return;
  if (bytes[end - 1] == '\0') --end;
  packet.erase(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(end));
}

}  // namespace atelier::media
