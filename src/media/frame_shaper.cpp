#include "frame_shaper.h"

#include <algorithm>
#include <cmath>

#include "atelier/base/text.h"
#include "pixel_layout.h"
#include "scaler.h"

namespace atelier::media {
namespace {

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

}  // namespace

FrameShaper::FrameShaper(const AVFrame& first, AVCodecID codec, int height_px)
    : codec_(codec), first_(format_of(first, codec)), format_(first_) {
  if (height_px > 0 && height_px != first.height) {
    format_.height_px = height_px;
    format_.width_px = width_for(first, height_px);
  }
}

bool FrameShaper::differs(const AVFrame& frame) const {
  const VideoFormat format = format_of(frame, codec_);
  return format.width_px != first_.width_px || format.height_px != first_.height_px ||
         format.pixel_format != first_.pixel_format || format.range != first_.range;
}

Buffer FrameShaper::planes(const AVFrame& frame) {
  VideoFormat layout = format_of(frame, codec_);
  // Only the first frame's unset tags are guessed from its size; those of others follow it.
  if (frame.colorspace == AVCOL_SPC_UNSPECIFIED) layout.matrix_coefficients = first_.matrix_coefficients;
  Buffer buffer(frame_bytes(format_));
  if (can_copy_samples(frame) && layout.width_px == format_.width_px &&
      layout.height_px == format_.height_px && layout.model == format_.model &&
      layout.bit_depth == format_.bit_depth && layout.has_alpha == format_.has_alpha &&
      layout.log2_chroma_w == format_.log2_chroma_w && layout.log2_chroma_h == format_.log2_chroma_h &&
      layout.range == format_.range) {
    copy_samples(frame, layout, tight_planes(layout, buffer.data()));
    return buffer;
  }
  const FramePtr scaled = padded_frame(format_);
  if (can_copy_samples(frame)) {
    const FramePtr planar = padded_frame(layout);
    copy_samples(frame, layout, planes_of(layout, *planar));
    scale(*planar, layout, *scaled);
  } else {
    scale(frame, layout, *scaled);
  }
  copy_samples(*scaled, format_, tight_planes(format_, buffer.data()));
  return buffer;
}

void FrameShaper::scale(const AVFrame& frame, const VideoFormat& from, AVFrame& to) {
  if (!scaler_ || !(from == scaled_from_)) {  // from names the decoded pixel format
    scaler_ =
        make_scaler(static_cast<AVPixelFormat>(frame.format), from, planar_pixel_format(format_), format_);
    scaled_from_ = from;
  }
  const int rows =
      sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, to.data, to.linesize);
  check_av(rows, "swscale failed");
}

}  // namespace atelier::media
