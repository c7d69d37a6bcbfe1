#include "frame_filler.h"

#include <cstring>

#include "atelier/base/text.h"
#include "compat.h"
#include "encoder_context.h"
#include "frame_layout.h"
#include "pixel_layout.h"
#include "scaler.h"
#include "side_data.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

/// What the encoder gets: the source's matrix and siting, unless the source has none.
VideoFormat encoder_layout(const EncoderConfig& config, AVPixelFormat pixels) {
  VideoFormat layout = config.input;
  set_layout(pixels, layout);
  if (config.color_range_tag != AVCOL_RANGE_UNSPECIFIED)
    layout.range = config.color_range_tag == AVCOL_RANGE_JPEG ? ColorRange::full : ColorRange::limited;
  if (config.input.model == ColorModel::rgb && layout.model == ColorModel::yuv) {
    layout.matrix_coefficients = config.color_matrix_tag;
    layout.siting = siting_of(config.chroma_location_tag, encoder_codec(config).id);
  }
  return layout;
}

}  // namespace

FrameFiller::FrameFiller(const EncoderConfig& config)
    : config_(config),
      planar_format_(planar_pixel_format(config.input)),
      encoder_format_(av_get_pix_fmt(config.pixel_format.c_str())) {
  if (planar_format_ == encoder_format_) return;
  const auto pixels = static_cast<AVPixelFormat>(encoder_format_);
  scaler_ = make_scaler(static_cast<AVPixelFormat>(planar_format_), config.input, pixels,
                        encoder_layout(config, pixels));
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
