#pragma once

#include <utility>

#include "atelier/frame/luma_weights.h"
#include "atelier/frame/video_format.h"

namespace atelier::media {

/// Where the chroma sample of luma position 0 lies, in luma samples.
std::pair<float, float> first_chroma_at(const VideoFormat& format);

/// True for matrices that are given by luma weights alone: change_matrix can go from one to the other.
bool can_change_matrix(int from, int to);

/// Changes tight YUV planes of format, which were made with the matrix from, to the format's own matrix.
/// Where chroma is sampled more coarsely, luma takes it from between its samples. Nothing is clipped but
/// codes.
void change_matrix(std::byte* planes, const VideoFormat& format, int from);

}  // namespace atelier::media
