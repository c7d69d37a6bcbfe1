#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "atelier/media/encoder.h"
#include "libav.h"
#include "sei.h"

namespace atelier::media {

/// Per-frame side data on their way through an encoder: what the encoder does not write itself is put into
/// the packets here where the codec has a place for it, and named once in a warning where it has none.
///
/// H.264 and HEVC get SEI messages: captions, unregistered user data, timecodes; H.264 also the active
/// format, HEVC also HDR10+. What other encoders' libraries say of themselves is not carried.
class CarriedSideData {
 public:
  CarriedSideData(const EncoderConfig& config, const AVCodecContext& encoder);
  /// A frame before it is encoded; number counts from 0.
  /// side_data: the frame's own, with the entries of what cannot travel.
  void note(std::int64_t number, const AVFrame& frame, const std::vector<std::byte>& side_data);
  /// The packet of frame number as the encoder gave it, and its bytes to add to (Annex B).
  void add_to(std::int64_t number, const AVPacket& encoded, std::vector<std::byte>& bytes);

 private:
  /// Nullopt: the codec has no place for it.
  [[nodiscard]] std::optional<SeiMessage> message_of(const AVFrameSideData& data) const;

  EncoderConfig config_;
  AVRational frame_rate_;
  bool writes_captions_;           ///< the encoder does it
  std::optional<SeiCodec> codec_;  ///< where packets take SEI messages
  // By frame number, of those not encoded yet.
  std::map<std::int64_t, std::vector<SeiMessage>> messages_;
  std::map<std::int64_t, std::vector<std::uint32_t>> picture_timecodes_;  ///< H.264
  std::set<std::int64_t> hdr10_plus_;  ///< that the encoder may give to the muxer beside the packet: VP9
};

}  // namespace atelier::media
