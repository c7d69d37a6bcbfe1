#include "atelier/frame/video_format.h"

namespace atelier {
namespace {

bool is_chroma(const VideoFormat& format, int plane) {
  return format.model == ColorModel::yuv && (plane == 1 || plane == 2);
}

int shifted_up(int size_px, int shift) {
  return (size_px + (1 << shift) - 1) >> shift;
}

}  // namespace

int num_planes(const VideoFormat& format) {
  return (format.model == ColorModel::gray ? 1 : 3) + (format.has_alpha ? 1 : 0);
}

int plane_width_px(const VideoFormat& format, int plane) {
  return is_chroma(format, plane) ? shifted_up(format.width_px, format.log2_chroma_w) : format.width_px;
}

int plane_height_px(const VideoFormat& format, int plane) {
  return is_chroma(format, plane) ? shifted_up(format.height_px, format.log2_chroma_h) : format.height_px;
}

int bytes_per_sample(const VideoFormat& format) {
  return format.bit_depth > 8 ? 2 : 1;
}

std::size_t plane_bytes(const VideoFormat& format, int plane) {
  return static_cast<std::size_t>(plane_width_px(format, plane)) *
         static_cast<std::size_t>(plane_height_px(format, plane)) *
         static_cast<std::size_t>(bytes_per_sample(format));
}

std::size_t plane_offset_bytes(const VideoFormat& format, int plane) {
  std::size_t offset = 0;
  for (int p = 0; p < plane; ++p) offset += plane_bytes(format, p);
  return offset;
}

std::size_t frame_bytes(const VideoFormat& format) {
  return plane_offset_bytes(format, num_planes(format));
}

}  // namespace atelier
