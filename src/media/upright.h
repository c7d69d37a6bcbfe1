#pragma once

#include "libav.h"

namespace atelier::media {

/// The frame as a viewer shows it, without an orientation of its own. Samples are moved, not computed; but
/// chroma of an odd size is interpolated where it is mirrored, for its places are others then, and chroma
/// that has no place in a turned frame (4:1:1 on its side, siting to the left) is resampled.
FramePtr upright(FramePtr frame, AVCodecID codec);

}  // namespace atelier::media
