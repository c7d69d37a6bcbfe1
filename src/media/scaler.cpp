#include "scaler.h"

#include "atelier/base/text.h"

extern "C" {
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

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

}  // namespace

ScalerPtr make_scaler(AVPixelFormat from_pixels, const VideoFormat& from, AVPixelFormat to_pixels,
                      const VideoFormat& to) {
  ScalerPtr scaler(sws_alloc_context());
  if (!scaler) throw std::bad_alloc();
  const auto set = [&](const char* name, std::int64_t value) {
    check_av(av_opt_set_int(scaler.get(), name, value, 0), concat("swscale refuses ", name, " ", value));
  };
  const int from_full = from.range == ColorRange::full ? 1 : 0;
  const int to_full = to.range == ColorRange::full ? 1 : 0;
  set("srcw", from.width_px);
  set("srch", from.height_px);
  set("src_format", from_pixels);
  set("src_range", from_full);
  set("dstw", to.width_px);
  set("dsth", to.height_px);
  set("dst_format", to_pixels);
  set("dst_range", to_full);
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
    throw UsageError(concat("pixel format '", from.pixel_format, "' cannot be scaled or become '",
                            av_get_pix_fmt_name(to_pixels), "'"),
                     {}, "Convert the video to a common pixel format first");
  // With one matrix on both sides YUV stays as it is; coefficients only matter where one side is RGB.
  sws_setColorspaceDetails(scaler.get(), sws_getCoefficients(from.matrix_coefficients), from_full,
                           sws_getCoefficients(to.matrix_coefficients), to_full, 0, 1 << 16, 1 << 16);
  return scaler;
}

}  // namespace atelier::media
