#include "hdr_parameters.h"

#include <algorithm>
#include <cstdint>

#include "atelier/base/text.h"
#include "side_data.h"

extern "C" {
#include <libavutil/mastering_display_metadata.h>
}

namespace atelier::media {
namespace {

/// The structs may grow between versions of FFmpeg: what is missing stays zero.
template <typename T>
T read_struct(const std::vector<std::byte>& bytes) {
  T value{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), sizeof value), reinterpret_cast<std::byte*>(&value));
  return value;
}

std::int64_t in_steps(AVRational value, int steps_per_unit) {
  return value.den == 0 ? 0 : av_rescale(value.num, steps_per_unit, value.den);
}

std::string mastering_text(const AVMasteringDisplayMetadata& display) {
  if (display.has_primaries == 0 || display.has_luminance == 0) return {};
  const auto point = [](const AVRational* xy) {
    return concat("(", in_steps(xy[0], 50000), ",", in_steps(xy[1], 50000), ")");
  };
  return concat("G", point(display.display_primaries[1]), "B", point(display.display_primaries[2]), "R",
                point(display.display_primaries[0]), "WP", point(display.white_point), "L(",
                in_steps(display.max_luminance, 10000), ",", in_steps(display.min_luminance, 10000), ")");
}

}  // namespace

HdrParameters hdr_parameters(const std::vector<std::byte>& stream_side_data) {
  HdrParameters out;
  for (const SideDataEntry& entry : unpack_entries(stream_side_data)) {
    if (entry.type == AV_PKT_DATA_MASTERING_DISPLAY_METADATA)
      out.mastering_display = mastering_text(read_struct<AVMasteringDisplayMetadata>(entry.data));
    if (entry.type == AV_PKT_DATA_CONTENT_LIGHT_LEVEL) {
      const auto light = read_struct<AVContentLightMetadata>(entry.data);
      out.content_light = concat(light.MaxCLL, ",", light.MaxFALL);
    }
  }
  return out;
}

}  // namespace atelier::media
