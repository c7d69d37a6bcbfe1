#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "libav.h"

namespace atelier::media {

using Bytes = std::span<const std::uint8_t>;

/// Takes packets of H.264 or HEVC apart, with start codes (Annex B) or with lengths (avcC, hvcC), as the
/// stream's parameters say.
class NalUnits {
 public:
  explicit NalUnits(const AVCodecParameters& codec);

  /// The units of a packet, without start codes and lengths; empty where it is cut.
  [[nodiscard]] std::vector<Bytes> of_packet(Bytes packet) const;
  /// The parameter sets outside of packets.
  [[nodiscard]] const std::vector<Bytes>& of_extradata() const { return extradata_; }

 private:
  std::size_t length_bytes_ = 0;  ///< 0: start codes
  std::vector<Bytes> extradata_;
};

/// True for a picture of HEVC in several slices. packet: of a stream of HEVC; layers above the first do not
/// count.
bool has_several_slices(const NalUnits& units, Bytes packet);

/// The first max_bytes of a unit without the bytes that prevent start codes in it (H.264 7.4.1).
std::vector<std::uint8_t> without_escapes(Bytes unit, std::size_t max_bytes);

/// Bits of an unescaped unit. Behind its end there are zeros.
class BitReader {
 public:
  explicit BitReader(Bytes bytes) : bytes_(bytes) {}
  bool bit() {
    const bool set = at_ / 8 < bytes_.size() && ((bytes_[at_ / 8] >> (7 - at_ % 8)) & 1) != 0;
    ++at_;
    return set;
  }
  /// Exp-Golomb code (H.264 9.1); 0 where none is.
  std::uint32_t ue() {
    int num_zeros = 0;
    while (num_zeros < 32 && !bit()) ++num_zeros;
    if (num_zeros == 32) return 0;
    std::uint32_t value = 1;
    for (int i = 0; i < num_zeros; ++i) value = (value << 1) | (bit() ? 1U : 0U);
    return value - 1;
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

}  // namespace atelier::media
