#include "packet_faults.h"

#include <utility>

#include "side_data.h"

namespace atelier::media {

bool keeps_field_flags(AVCodecID codec) {
  return codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC;
}

std::vector<std::byte> lasting_side_data(const std::vector<std::byte>& frame_side_data) {
  std::vector<SideDataEntry> lasting;
  for (SideDataEntry& entry : unpack_entries(frame_side_data)) {
    if (entry.data.empty()) continue;  // it does not travel
    switch (entry.type) {
      case AV_FRAME_DATA_A53_CC:
      case AV_FRAME_DATA_AFD:
      case AV_FRAME_DATA_GOP_TIMECODE:
      case AV_FRAME_DATA_S12M_TIMECODE:
      case AV_FRAME_DATA_SEI_UNREGISTERED:
        break;
      case AV_FRAME_DATA_DYNAMIC_HDR_PLUS:
      case AV_FRAME_DATA_DYNAMIC_HDR_VIVID:
        lasting.push_back({entry.type, {}});
        break;
      default:
        lasting.push_back(std::move(entry));
    }
  }
  return pack_entries(lasting);
}

}  // namespace atelier::media
