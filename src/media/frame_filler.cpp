#include "frame_filler.h"

#include <cstring>

#include "atelier/base/text.h"
#include "compat.h"
#include "pixel_layout.h"
#include "side_data.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

/// swscale's table for an H.273 matrix; RGB sources convert to BT.709.
const int* coefficients(int matrix) {
  return sws_getCoefficients(matrix == 0 || matrix == 2 ? SWS_CS_ITU709 : matrix);
}

}  // namespace

FrameFiller::FrameFiller(const EncoderConfig& config)
    : config_(config),
      planar_format_(planar_pixel_format(config.input)),
      encoder_format_(av_get_pix_fmt(config.pixel_format.c_str())) {
  if (planar_format_ == encoder_format_) return;
  const int width = config.input.width_px;
  const int height = config.input.height_px;
  scaler_.reset(
      sws_getContext(width, height, static_cast<AVPixelFormat>(planar_format_), width, height,
                     static_cast<AVPixelFormat>(encoder_format_),
                     SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP,
                     nullptr, nullptr, nullptr));
  if (!scaler_)
    throw UsageError(
        concat("pixel format '", config.input.pixel_format, "' cannot become '", config.pixel_format, "'"));
  const int from_full = config.input.range == ColorRange::full ? 1 : 0;
  const int to_full = config.color_range_tag == AVCOL_RANGE_UNSPECIFIED
                          ? from_full
                          : (config.color_range_tag == AVCOL_RANGE_JPEG ? 1 : 0);
  sws_setColorspaceDetails(scaler_.get(), coefficients(config.input.matrix_coefficients), from_full,
                           coefficients(config.color_matrix_tag), to_full, 0, 1 << 16, 1 << 16);
}

FramePtr FrameFiller::new_frame(int pixel_format) const {
  FramePtr frame = make_frame();
  frame->width = config_.input.width_px;
  frame->height = config_.input.height_px;
  frame->format = pixel_format;
  check_av(av_frame_get_buffer(frame.get(), 0), "cannot allocate a frame");
  return frame;
}

FramePtr FrameFiller::fill(const FramePlanes& frame) {
  const VideoFormat& format = config_.input;
  if (frame.planes.size() != frame_bytes(format))
    throw JobError(concat("frame ", frame.info.frame_index, " has ", frame.planes.size(), " bytes, not ",
                          frame_bytes(format)));
  FramePtr planar = new_frame(planar_format_);
  for (int plane = 0; plane < num_planes(format); ++plane) {
    const int to = av_plane(format, plane);
    const std::size_t row_bytes = static_cast<std::size_t>(plane_width_px(format, plane)) *
                                  static_cast<std::size_t>(bytes_per_sample(format));
    const std::byte* row = frame.planes.data() + plane_offset_bytes(format, plane);
    for (int y = 0; y < plane_height_px(format, plane); ++y, row += row_bytes)
      std::memcpy(planar->data[to] + static_cast<std::ptrdiff_t>(y) * planar->linesize[to], row, row_bytes);
  }
  FramePtr out = std::move(planar);
  if (scaler_) {
    FramePtr converted = new_frame(encoder_format_);
    check_av(sws_scale(scaler_.get(), out->data, out->linesize, 0, format.height_px, converted->data,
                       converted->linesize),
             "cannot convert a frame for the encoder");
    out = std::move(converted);
  }
  out->color_primaries = static_cast<AVColorPrimaries>(config_.color_primaries);
  out->color_trc = static_cast<AVColorTransferCharacteristic>(config_.color_transfer);
  out->colorspace = static_cast<AVColorSpace>(config_.color_matrix_tag);
  out->color_range = static_cast<AVColorRange>(config_.color_range_tag);
  out->chroma_location = static_cast<AVChromaLocation>(config_.chroma_location_tag);
  out->sample_aspect_ratio = {config_.sample_aspect.num, config_.sample_aspect.den};
  out->repeat_pict = frame.info.repeat_pict;
  compat::set_fields(*out, frame.info.interlaced, frame.info.top_field_first);
  unpack_frame_side_data(frame.info.side_data, *out);
  return out;
}

}  // namespace atelier::media
