#include "undecoded_blocks.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

/// The smallest coding block of HEVC. Deblocking changes three samples on each side of a block's edge, and
/// that of the left and upper edge is the block's own: the pattern lies in the upper left.
constexpr int block_px = 8;
constexpr int mark_px = 4;

/// 8-bit values in no order: an edge, a ramp or noise of a camera does not come near.
constexpr std::array<int, mark_px* mark_px> mark = {203, 17, 142, 240, 61, 187, 9,  118,
                                                    231, 84, 160, 33,  97, 214, 50, 175};

/// Sample adaptive offset adds up to 7 (H.265 7.4.9.3.2) at 8 bits.
constexpr int tolerance = 8;

int depth_of(const AVFrame& frame) {
  const AVPixFmtDescriptor* pixels = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  return pixels == nullptr ? 0 : pixels->comp[0].depth;
}

// Calls visit(first sample of a block, in bytes from the plane's begin) for each block that begins within.
template <typename Visit>
void for_each_block(int width, int height, std::ptrdiff_t stride, int sample_bytes, Visit visit) {
  for (int y = 0; y < height; y += block_px)
    for (int x = 0; x < width; x += block_px)
      visit(static_cast<std::ptrdiff_t>(y) * stride + static_cast<std::ptrdiff_t>(x) * sample_bytes);
}

template <typename Sample>
void stamp(std::uint8_t* block, std::ptrdiff_t stride, int shift) {
  for (int y = 0; y < mark_px; ++y) {
    std::array<Sample, mark_px> row{};
    for (int x = 0; x < mark_px; ++x) row[x] = static_cast<Sample>(mark[y * mark_px + x] << shift);
    std::memcpy(block + y * stride, row.data(), sizeof row);
  }
}

template <typename Sample>
bool is_stamped(const std::uint8_t* block, std::ptrdiff_t stride, int shift) {
  for (int y = 0; y < mark_px; ++y) {
    std::array<Sample, mark_px> row{};
    std::memcpy(row.data(), block + y * stride, sizeof row);
    for (int x = 0; x < mark_px; ++x)
      if (std::abs(row[x] - (mark[y * mark_px + x] << shift)) > tolerance << shift) return false;
  }
  return true;
}

}  // namespace

void fill_grey(AVFrame& frame) {
  const int depth = depth_of(frame);
  if (depth == 0) return;
  for (const AVBufferRef* buffer : frame.buf) {
    if (buffer == nullptr) break;
    if (depth <= 8)
      std::memset(buffer->data, 1 << (depth - 1), buffer->size);
    else
      std::fill_n(reinterpret_cast<std::uint16_t*>(buffer->data), buffer->size / 2,
                  static_cast<std::uint16_t>(1 << (depth - 1)));
  }
}

void mark_blocks(AVFrame& frame) {
  const int depth = depth_of(frame);
  if (depth < 8) return;
  const std::ptrdiff_t stride = frame.linesize[0];
  for_each_block(frame.width, frame.height, stride, depth > 8 ? 2 : 1, [&](std::ptrdiff_t at) {
    if (depth > 8)
      stamp<std::uint16_t>(frame.data[0] + at, stride, depth - 8);
    else
      stamp<std::uint8_t>(frame.data[0] + at, stride, 0);
  });
}

bool has_undecoded_block(const AVFrame& frame) {
  const int depth = depth_of(frame);
  if (depth < 8 || frame.buf[0] == nullptr) return false;
  const std::ptrdiff_t stride = frame.linesize[0];
  // Cropping has moved the plane's begin, and blocks did not move with it.
  const std::uint8_t* begin = frame.buf[0]->data;
  const std::ptrdiff_t cut = frame.data[0] - begin;
  const int sample_bytes = depth > 8 ? 2 : 1;
  const int top = static_cast<int>(cut / stride);
  const int left = static_cast<int>(cut % stride) / sample_bytes;
  bool found = false;
  for_each_block(left + frame.width, top + frame.height, stride, sample_bytes, [&](std::ptrdiff_t at) {
    found = found || (depth > 8 ? is_stamped<std::uint16_t>(begin + at, stride, depth - 8)
                                : is_stamped<std::uint8_t>(begin + at, stride, 0));
  });
  return found;
}

}  // namespace atelier::media
