#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace atelier::media {

/// HDR metadata in the notation that x264 and x265 share (SMPTE ST 2086 in steps of 0.00002 and 0.0001 cd/m2,
/// CTA-861.3 in cd/m2); empty where the stream has none.
struct HdrParameters {
  std::string mastering_display;  ///< "G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)"
  std::string content_light;      ///< "MaxCLL,MaxFALL"
};
HdrParameters hdr_parameters(const std::vector<std::byte>& stream_side_data);

}  // namespace atelier::media
