#include "frame_shaper.h"

#include <algorithm>
#include <cmath>

#include "atelier/base/text.h"
#include "pixel_layout.h"

extern "C" {
#include <libavutil/opt.h>
}

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

/// In 1/256 of the distance between luma samples, as swscale takes it.
struct ChromaPosition {
  int horizontal = 0;
  int vertical = 0;
};
ChromaPosition chroma_position(const VideoFormat& format) {
  const bool centered = format.siting == ChromaSiting::center || format.siting == ChromaSiting::top ||
                        format.siting == ChromaSiting::bottom;
  const bool top = format.siting == ChromaSiting::top_left || format.siting == ChromaSiting::top;
  const bool bottom = format.siting == ChromaSiting::bottom_left || format.siting == ChromaSiting::bottom;
  return {format.log2_chroma_w == 1 && centered ? 128 : 0, format.log2_chroma_h != 1 ? 0
                                                           : top                     ? 0
                                                           : bottom                  ? 256
                                                                                     : 128};
}

ScalerPtr make_scaler(AVPixelFormat from_pixels, const VideoFormat& from, const VideoFormat& to) {
  ScalerPtr scaler(sws_alloc_context());
  if (!scaler) throw std::bad_alloc();
  const auto set = [&](const char* name, std::int64_t value) {
    check_av(av_opt_set_int(scaler.get(), name, value, 0), concat("swscale refuses ", name, " ", value));
  };
  set("srcw", from.width_px);
  set("srch", from.height_px);
  set("src_format", from_pixels);
  set("src_range", from.range == ColorRange::full ? 1 : 0);
  set("dstw", to.width_px);
  set("dsth", to.height_px);
  set("dst_format", planar_pixel_format(to));
  set("dst_range", to.range == ColorRange::full ? 1 : 0);
  set("sws_flags", SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP | SWS_BITEXACT);
  if (from.model == ColorModel::yuv) {
    set("src_h_chr_pos", chroma_position(from).horizontal);
    set("src_v_chr_pos", chroma_position(from).vertical);
  }
  if (to.model == ColorModel::yuv) {
    set("dst_h_chr_pos", chroma_position(to).horizontal);
    set("dst_v_chr_pos", chroma_position(to).vertical);
  }
  if (sws_init_context(scaler.get(), nullptr, nullptr) < 0)
    throw UsageError(concat("frames of pixel format '", from.pixel_format, "' cannot be scaled"));
  // An unscaled yuv to yuv conversion keeps the matrix; coefficients only matter where one side is RGB.
  sws_setColorspaceDetails(
      scaler.get(), sws_getCoefficients(from.matrix_coefficients), from.range == ColorRange::full ? 1 : 0,
      sws_getCoefficients(to.matrix_coefficients), to.range == ColorRange::full ? 1 : 0, 0, 1 << 16, 1 << 16);
  return scaler;
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
    scaler_ = make_scaler(static_cast<AVPixelFormat>(frame.format), from, format_);
    scaled_from_ = from;
  }
  const int rows =
      sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, to.data, to.linesize);
  check_av(rows, "swscale failed");
}

}  // namespace atelier::media
