#pragma once

#include "atelier/media/input_info.h"
#include "packet_source.h"

namespace atelier::media {

/// All of InputInfo but path and format, which is that of the frames given out.
InputInfo summarize(const PacketSource& source, const AVFrame& first_frame);

}  // namespace atelier::media
