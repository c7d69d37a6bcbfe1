#pragma once

#include "libav.h"

namespace atelier::media {

/// Makes all samples of a new frame grey, which is what concealment shows of blocks that are not decoded.
void fill_grey(AVFrame& frame);

/// Stamps a pattern that no picture has into every block of the luma plane of a new frame.
void mark_blocks(AVFrame& frame);

/// True where a block of a decoded frame still holds the pattern of mark_blocks: nothing was decoded there.
/// In-loop filters of neighbours may have changed it a little.
bool has_undecoded_block(const AVFrame& frame);

}  // namespace atelier::media
