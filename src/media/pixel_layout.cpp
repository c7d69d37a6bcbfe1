#include "pixel_layout.h"

#include <algorithm>
#include <string>

#include "atelier/base/text.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

std::string planar_name(const VideoFormat& format) {
  std::string name;
  if (format.model == ColorModel::gray) {
    name = format.has_alpha ? "" : "gray";
  } else if (format.model == ColorModel::rgb) {
    name = format.has_alpha ? "gbrap" : "gbrp";
  } else {
    // J:a:b notation: 4:2:0 halves both ways, 4:4:0 rows only, 4:1:0 quarters both ways.
    static constexpr const char* ratio[3][3] = {{"444", "440", ""}, {"422", "420", ""}, {"411", "", "410"}};
    if (format.log2_chroma_w > 2 || format.log2_chroma_h > 2) return {};
    const std::string digits = ratio[format.log2_chroma_w][format.log2_chroma_h];
    if (digits.empty()) return {};
    name = concat(format.has_alpha ? "yuva" : "yuv", digits, "p");
  }
  return format.bit_depth == 8 || name.empty() ? name : concat(name, format.bit_depth, "le");
}

}  // namespace

AVPixelFormat planar_pixel_format(const VideoFormat& format) {
  const std::string name = planar_name(format);
  const AVPixelFormat found = name.empty() ? AV_PIX_FMT_NONE : av_get_pix_fmt(name.c_str());
  if (found == AV_PIX_FMT_NONE)
    throw UsageError(concat("pixel format '", format.pixel_format, "' cannot be handled"),
                     concat("FFmpeg has no planar format of ", format.bit_depth, " bit with its planes"));
  return found;
}

void set_layout(AVPixelFormat decoded, VideoFormat& format) {
  const AVPixFmtDescriptor* desc = av_pix_fmt_desc_get(decoded);
  if (desc == nullptr || (desc->flags & AV_PIX_FMT_FLAG_HWACCEL) != 0)
    throw UsageError(
        concat("pixel format '", desc == nullptr ? "unknown" : desc->name, "' cannot be handled"),
        "it does not lie in main memory");
  const std::string name = desc->name;
  const bool xyz = name.starts_with("xyz");
  const bool bayer = (desc->flags & AV_PIX_FMT_FLAG_BAYER) != 0;
  const bool palette = (desc->flags & AV_PIX_FMT_FLAG_PAL) != 0;
  const bool rgb = (desc->flags & AV_PIX_FMT_FLAG_RGB) != 0;
  format.has_alpha = (desc->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
  format.log2_chroma_w = 0;
  format.log2_chroma_h = 0;
  // Grey with alpha (ya8, ya16) has no planar twin, so it becomes RGB with alpha.
  if (rgb || palette || bayer || xyz || (desc->nb_components <= 2 && format.has_alpha)) {
    format.model = ColorModel::rgb;
  } else if (desc->nb_components == 1) {
    format.model = ColorModel::gray;
  } else {
    format.model = ColorModel::yuv;
    format.log2_chroma_w = desc->log2_chroma_w;
    format.log2_chroma_h = desc->log2_chroma_h;
  }
  int depth = 8;
  for (int c = 0; c < desc->nb_components; ++c) depth = std::max(depth, desc->comp[c].depth);
  if (palette) depth = 8;
  if (bayer) depth = desc->comp[0].step > 1 ? 16 : 8;
  // FFmpeg lacks some depths (11, yuva 14 …): the next deeper one holds the samples too.
  for (format.bit_depth = std::min(depth, 16); format.bit_depth < 16; ++format.bit_depth)
    if (av_get_pix_fmt(planar_name(format).c_str()) != AV_PIX_FMT_NONE) break;
}

int av_plane(const VideoFormat& format, int plane) {
  if (format.model != ColorModel::rgb || plane > 2) return plane;
  static constexpr int gbr_index[] = {2, 0, 1};
  return gbr_index[plane];
}

}  // namespace atelier::media
