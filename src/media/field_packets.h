#pragma once

#include <memory>

#include "packet_source.h"

namespace atelier::media {

/// The packets of an H.264 stream. Where the two fields of a frame come as packets of their own, the first
/// lasts as long as the frame: containers tell a field's duration there, or, on both, the frame's.
std::unique_ptr<PacketSource> with_whole_frames(std::unique_ptr<PacketSource> source);

}  // namespace atelier::media
