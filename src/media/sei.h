#pragma once

// Supplemental enhancement information (ITU-T H.264 annex D, H.265 annex D): what a frame has besides
// samples, in a NAL unit before its slices.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libav.h"

extern "C" {
#include <libavutil/hdr_dynamic_metadata.h>
}

namespace atelier::media {

enum class SeiCodec { h264, hevc };

struct SeiMessage {
  int type = 0;  ///< payloadType
  std::vector<std::byte> payload;
};

/// CEA-708 captions (ATSC A/53 part 4): cc_data in triples, at most 31 of them.
SeiMessage caption_message(std::span<const std::byte> cc_data);

/// Active format description (ETSI TS 101 154, annex B): the low four bits.
SeiMessage active_format_message(std::uint8_t active_format);

/// HDR10+ (SMPTE ST 2094-40, application 4). Counts beyond what the standard allows are cut.
SeiMessage hdr10_plus_message(const AVDynamicHDRPlus& metadata);

/// A 16-byte UUID and what its owner wants to say.
SeiMessage unregistered_message(std::span<const std::byte> uuid_and_data);

/// SMPTE ST 12-1 as FFmpeg has it in AV_FRAME_DATA_S12M_TIMECODE: a count (1 to 3) and as many timecodes;
/// frame_rate tells what a timecode's field bit means. For HEVC.
SeiMessage timecode_message(std::span<const std::uint32_t> timecodes, AVRational frame_rate);

/// The NAL unit, with a start code of four bytes.
std::vector<std::byte> sei_unit(SeiCodec codec, const std::vector<SeiMessage>& messages);

/// The same for H.264, where timecodes are a part of the picture timing that the encoder writes (x264: with
/// pic-struct=1). As many as the picture has fields take part. False: the packet, in Annex B, has no picture
/// timing, or one with fields of a hypothetical reference decoder.
bool set_picture_timecodes(std::vector<std::byte>& packet, std::span<const std::uint32_t> timecodes,
                           AVRational frame_rate);

/// Position of the start code of the first slice in an Annex B packet; its size where there is none.
std::size_t first_slice(SeiCodec codec, std::span<const std::byte> packet);

}  // namespace atelier::media
