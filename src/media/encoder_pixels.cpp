#include "encoder_pixels.h"

#include <algorithm>
#include <iterator>

#include "atelier/base/text.h"
#include "pixel_layout.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

std::string name_of(AVPixelFormat format) {
  const char* name = av_get_pix_fmt_name(format);
  return name == nullptr ? "none" : name;
}

/// yuvj420p and its kin are yuv420p and its kin with full range.
bool is_full_range_twin(AVPixelFormat format) {
  return name_of(format).starts_with("yuvj");
}

AVPixelFormat full_range_twin(AVPixelFormat format) {
  const std::string name = name_of(format);
  return name.starts_with("yuv") ? av_get_pix_fmt(("yuvj" + name.substr(3)).c_str()) : AV_PIX_FMT_NONE;
}

bool is_rgb(AVPixelFormat format) {
  const AVPixFmtDescriptor* desc = av_pix_fmt_desc_get(format);
  return desc != nullptr && (desc->flags & AV_PIX_FMT_FLAG_RGB) != 0;
}

/// H.264 and HEVC crop in whole chroma samples.
bool fits_size(const AVCodec& codec, AVPixelFormat format, const VideoFormat& input) {
  if (codec.id != AV_CODEC_ID_H264 && codec.id != AV_CODEC_ID_HEVC) return true;
  const AVPixFmtDescriptor& desc = *av_pix_fmt_desc_get(format);
  return input.width_px % (1 << desc.log2_chroma_w) == 0 && input.height_px % (1 << desc.log2_chroma_h) == 0;
}

std::vector<AVPixelFormat> formats_of(const AVCodec& codec, AVPixelFormat planar, const VideoFormat& input) {
  std::vector<AVPixelFormat> all;
  for (const AVPixelFormat* f = codec.pix_fmts; f != nullptr && *f != AV_PIX_FMT_NONE; ++f) {
    const AVPixFmtDescriptor* desc = av_pix_fmt_desc_get(*f);
    if (desc != nullptr && (desc->flags & AV_PIX_FMT_FLAG_HWACCEL) == 0 && fits_size(codec, *f, input))
      all.push_back(*f);
  }
  if (codec.pix_fmts == nullptr) all.push_back(planar);
  std::vector<AVPixelFormat> kept;
  std::copy_if(all.begin(), all.end(), std::back_inserter(kept), [&](AVPixelFormat f) {
    return std::none_of(all.begin(), all.end(), [&](AVPixelFormat g) { return full_range_twin(g) == f; });
  });
  return kept;
}

std::string losses(int loss, const VideoFormat& input, AVPixelFormat chosen) {
  std::vector<std::string> parts;
  const AVPixFmtDescriptor& desc = *av_pix_fmt_desc_get(chosen);
  if ((loss & FF_LOSS_ALPHA) != 0) parts.emplace_back("transparency is dropped");
  if ((loss & FF_LOSS_DEPTH) != 0)
    parts.push_back(concat(input.bit_depth, " bit become ", desc.comp[0].depth));
  if ((loss & FF_LOSS_CHROMA) != 0) parts.emplace_back("colour becomes grey");
  if ((loss & FF_LOSS_RESOLUTION) != 0) parts.emplace_back("chroma gets fewer samples");
  if ((loss & FF_LOSS_COLORSPACE) != 0)
    parts.emplace_back(is_rgb(chosen) ? "YUV becomes RGB" : "RGB becomes YUV");
  return join(parts, ", ");
}

AVPixelFormat nearest(const AVCodec& codec, const std::vector<AVPixelFormat>& formats, AVPixelFormat planar,
                      const VideoFormat& input, std::vector<std::string>& warnings) {
  if (std::find(formats.begin(), formats.end(), planar) != formats.end()) return planar;
  const AVPixelFormat twin = full_range_twin(planar);
  if (twin != AV_PIX_FMT_NONE && std::find(formats.begin(), formats.end(), twin) != formats.end())
    return twin;
  std::vector<AVPixelFormat> list = formats;
  list.push_back(AV_PIX_FMT_NONE);
  int loss = 0;
  const AVPixelFormat best =
      avcodec_find_best_pix_fmt_of_list(list.data(), planar, input.has_alpha ? 1 : 0, &loss);
  if (best == AV_PIX_FMT_NONE)
    throw UsageError(concat("encoder ", codec.name, " has no pixel format for ", input.width_px, "x",
                            input.height_px, " ", input.pixel_format));
  const std::string lost = losses(loss, input, best);
  const bool known = !fits_size(codec, planar, input);  // but not at this size
  if (!lost.empty() || known)
    warnings.push_back(concat("Encoder ", codec.name, " has no ", name_of(planar),
                              known ? concat(" of ", input.width_px, "x", input.height_px) : std::string(),
                              "; ", name_of(best), " is used", lost.empty() ? "" : concat(" (", lost, ")"),
                              "."));
  return best;
}

}  // namespace

void choose_pixel_format(const AVCodec& codec, const std::string& wanted, EncoderConfig& config,
                         std::vector<std::string>& warnings) {
  const VideoFormat& input = config.input;
  const AVPixelFormat planar = planar_pixel_format(input);
  const std::vector<AVPixelFormat> formats = formats_of(codec, planar, input);
  AVPixelFormat chosen = AV_PIX_FMT_NONE;
  if (wanted.empty()) {
    chosen = nearest(codec, formats, planar, input, warnings);
  } else {
    chosen = av_get_pix_fmt(wanted.c_str());
    if (std::find(formats.begin(), formats.end(), chosen) == formats.end()) {
      std::vector<std::string> names;
      for (const AVPixelFormat f : formats) names.push_back(name_of(f));
      throw UsageError(concat("encoder ", codec.name, " has no pixel format '", wanted, "' for this video"),
                       {}, concat("It has: ", join(names, ", ")));
    }
  }
  config.pixel_format = name_of(chosen);

  const bool from_rgb = input.model == ColorModel::rgb;
  if (is_rgb(chosen)) {
    config.color_matrix_tag = AVCOL_SPC_RGB;
    if (!from_rgb || config.color_range_tag == AVCOL_RANGE_UNSPECIFIED)
      config.color_range_tag = AVCOL_RANGE_JPEG;
    return;
  }
  if (from_rgb) {
    config.color_matrix_tag = AVCOL_SPC_BT709;
    config.color_range_tag = AVCOL_RANGE_MPEG;
  } else if (input.range == ColorRange::full) {
    config.color_range_tag = AVCOL_RANGE_JPEG;
  }
  if (is_full_range_twin(chosen)) config.color_range_tag = AVCOL_RANGE_JPEG;
}

}  // namespace atelier::media
