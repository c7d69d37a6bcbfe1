#include "frame_shaper.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "atelier/base/text.h"
#include "color_facts.h"
#include "pixel_layout.h"
#include "scaler.h"

namespace atelier::media {
namespace {

/// Standards differ by as much in what part of a line they call the picture (704 or 720 of 720 samples).
constexpr double same_shape = 0.03;

/// A frame with FFmpeg's own row padding, which swscale needs.
FramePtr padded_frame(const VideoFormat& format) {
  FramePtr frame = make_frame();
  frame->format = planar_pixel_format(format);
  frame->width = format.width_px;
  frame->height = format.height_px;
  check_av(av_frame_get_buffer(frame.get(), 0), "memory for a frame is short");
  return frame;
}

/// Display width for a height, even.
int width_for(const AVFrame& frame, int height_px) {
  const double width = static_cast<double>(frame.width) * height_px / frame.height;
  return std::max(2, 2 * static_cast<int>(std::lround(width / 2)));
}

bool has_same_samples(const VideoFormat& a, const VideoFormat& b) {
  return a.width_px == b.width_px && a.height_px == b.height_px && a.model == b.model &&
         a.bit_depth == b.bit_depth && a.has_alpha == b.has_alpha && a.log2_chroma_w == b.log2_chroma_w &&
         a.log2_chroma_h == b.log2_chroma_h && a.range == b.range;
}

bool has_other_siting(const VideoFormat& a, const VideoFormat& b) {
  const auto is_subsampled = [](const VideoFormat& format) {
    return format.model == ColorModel::yuv && format.log2_chroma_w + format.log2_chroma_h > 0;
  };
  return is_subsampled(a) && is_subsampled(b) && a.siting != b.siting;
}

/// A part of size for something smaller by ratio, in whole chroma samples.
int part_of(int size, double ratio, int log2_chroma) {
  const int unit = 2 << log2_chroma;  // even borders on both sides
  const int borders = static_cast<int>(std::lround(size * (1 - ratio) / unit)) * unit;
  return std::max(1 << log2_chroma, size - borders);
}

void fill_plane(const VideoFormat& format, int plane, unsigned code, std::byte* planes) {
  std::byte* begin = planes + plane_offset_bytes(format, plane);
  if (bytes_per_sample(format) == 1) {
    std::memset(begin, static_cast<int>(code), plane_bytes(format, plane));
    return;
  }
  const auto word = static_cast<std::uint16_t>(code);
  for (std::size_t at = 0; at < plane_bytes(format, plane); at += sizeof word)
    std::memcpy(begin + at, &word, sizeof word);
}

void fill_black(const VideoFormat& format, std::byte* planes) {
  const unsigned unit = 1U << (format.bit_depth - 8);
  const bool is_limited = format.range == ColorRange::limited && format.model != ColorModel::rgb;
  for (int p = 0; p < num_planes(format); ++p) {
    const bool is_alpha = format.has_alpha && p == num_planes(format) - 1;
    const bool is_chroma = format.model == ColorModel::yuv && p > 0;
    const unsigned black = is_limited ? 16 * unit : 0;
    fill_plane(format, p, is_alpha ? (1U << format.bit_depth) - 1 : is_chroma ? 128 * unit : black, planes);
  }
}

}  // namespace

FrameShaper::FrameShaper(const AVFrame& first, AVCodecID codec, int height_px)
    : codec_(codec), first_(properties_of(first, codec)), format_(first_.format) {
  if (height_px > 0 && height_px != first.height) {
    format_.height_px = height_px;
    format_.width_px = width_for(first, height_px);
  }
}

std::vector<PropertyChange> FrameShaper::changes(const AVFrame& frame) const {
  return changes_between(first_, properties_of(frame, codec_, first_));
}

FrameShaper::Content FrameShaper::content_of(const FrameProperties& own) const {
  Content content{0, 0, format_};
  const double shape = relative_shape(first_, own);
  const bool is_yuv = format_.model == ColorModel::yuv;
  if (shape < 1 - same_shape) {
    content.format.width_px = part_of(format_.width_px, shape, is_yuv ? format_.log2_chroma_w : 0);
    content.x = (format_.width_px - content.format.width_px) / 2;
  } else if (shape > 1 + same_shape) {
    content.format.height_px = part_of(format_.height_px, 1 / shape, is_yuv ? format_.log2_chroma_h : 0);
    content.y = (format_.height_px - content.format.height_px) / 2;
  }
  return content;
}

Buffer FrameShaper::planes(const AVFrame& frame) {
  const FrameProperties own = properties_of(frame, codec_, first_);
  const Content content = content_of(own);
  Buffer buffer(frame_bytes(format_));
  if (can_copy_samples(frame) && has_same_samples(own.format, format_) &&
      has_same_samples(content.format, format_) && !has_other_siting(own.format, format_)) {
    copy_samples(frame, own.format, tight_planes(own.format, buffer.data()));
  } else {
    const FramePtr filled = scaled(frame, own.format, content.format);
    PlaneViews views = tight_planes(format_, buffer.data());
    if (!has_same_samples(content.format, format_)) fill_black(format_, buffer.data());
    for (int p = 0; p < num_planes(format_); ++p) {
      PlaneView& view = views[static_cast<std::size_t>(p)];
      const bool is_chroma = format_.model == ColorModel::yuv && (p == 1 || p == 2);
      const int x = content.x >> (is_chroma ? format_.log2_chroma_w : 0);
      const int y = content.y >> (is_chroma ? format_.log2_chroma_h : 0);
      view.data += y * view.row_bytes + std::ptrdiff_t{x} * bytes_per_sample(format_);
    }
    copy_samples(*filled, content.format, views);
  }
  const int matrix = own.format.matrix_coefficients;
  if (own.format.model == ColorModel::yuv && format_.model == ColorModel::yuv &&
      matrix != format_.matrix_coefficients && can_change_matrix(matrix, format_.matrix_coefficients))
    change_matrix(buffer.data(), format_, matrix);
  return buffer;
}

FramePtr FrameShaper::scaled(const AVFrame& frame, VideoFormat from, const VideoFormat& to) {
  const VideoFormat own = from;
  // swscale would go from one matrix to another by way of 8-bit RGB, and clip.
  if (from.model == ColorModel::yuv && to.model == ColorModel::yuv)
    from.matrix_coefficients = to.matrix_coefficients;
  FramePtr planar;
  if (can_copy_samples(frame)) {
    planar = padded_frame(from);
    copy_samples(frame, own, planes_of(from, *planar));
  }
  const AVFrame* source = planar ? planar.get() : &frame;
  FramePtr whole;
  if (has_other_siting(from, to)) {  // which swscale passes over where it need not scale
    VideoFormat full_chroma = to;
    full_chroma.log2_chroma_w = full_chroma.log2_chroma_h = 0;
    whole = upsampling_.scale(*source, from, full_chroma);
    return scaling_.scale(*whole, full_chroma, to);
  }
  return scaling_.scale(*source, from, to);
}

FramePtr FrameShaper::Scaling::scale(const AVFrame& frame, const VideoFormat& from, const VideoFormat& to) {
  if (!scaler_ || !(from == from_ && to == to_)) {  // from names the decoded pixel format
    scaler_ = make_scaler(static_cast<AVPixelFormat>(frame.format), from, planar_pixel_format(to), to);
    from_ = from;
    to_ = to;
  }
  FramePtr scaled = padded_frame(to);
  const int rows =
      sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, scaled->data, scaled->linesize);
  check_av(rows, "swscale failed");
  return scaled;
}

}  // namespace atelier::media
