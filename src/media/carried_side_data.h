#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "atelier/media/encoder.h"
#include "libav.h"

namespace atelier::media {

/// Per-frame side data on their way through an encoder: what the encoder does not write itself is put into
/// the packets here where the codec has a place for it, and named once in a warning where it has none.
class CarriedSideData {
 public:
  CarriedSideData(const EncoderConfig& config, const AVCodecContext& encoder);
  /// A frame before it is encoded; number counts from 0.
  void note(std::int64_t number, const AVFrame& frame);
  /// The packet of frame number, in Annex B.
  void add_to(std::int64_t number, std::vector<std::byte>& packet);

 private:
  std::string encoder_;
  bool writes_captions_;                          ///< the encoder does it
  bool inserts_captions_;                         ///< HEVC in Annex B: we do it
  std::vector<std::vector<std::byte>> captions_;  ///< by frame number; empty: none
};

/// An HEVC prefix SEI NAL unit, with its start code, that holds CEA-708 captions (ATSC A/53 part 4, cc_data
/// in triples) as user data registered by ITU-T T.35.
std::vector<std::byte> hevc_caption_unit(std::span<const std::byte> cc_data);

}  // namespace atelier::media
