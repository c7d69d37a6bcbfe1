#include "frame_properties.h"

#include "atelier/base/text.h"
#include "color_facts.h"
#include "compat.h"
#include "frame_layout.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

constexpr const char* converted = "such frames are converted to what it was";
constexpr const char* fitted =
    "such frames are scaled to fit the first one's, with black borders where their shape is another";
constexpr const char* kept = "samples cannot be converted for that, and stay";

std::string named(const char* name, int number) {
  return name == nullptr ? concat("number ", number) : name;
}

/// H.273 gives these the same curve, or the same primaries.
int same_curve(int transfer) {
  const bool is_bt709 =
      transfer == AVCOL_TRC_SMPTE170M || transfer == AVCOL_TRC_BT2020_10 || transfer == AVCOL_TRC_BT2020_12;
  return is_bt709 ? AVCOL_TRC_BT709 : transfer;
}
int same_primaries(int primaries) {
  return primaries == AVCOL_PRI_SMPTE240M ? AVCOL_PRI_SMPTE170M : primaries;
}

std::string size_of(const VideoFormat& format) {
  return concat(format.width_px, "x", format.height_px);
}

/// yuvj420p is yuv420p with the range in its name.
std::string layout_of(const VideoFormat& format) {
  std::string name = format.pixel_format;
  if (name.starts_with("yuvj")) name.erase(3, 1);
  return name;
}

std::string range_of(const VideoFormat& format) {
  return format.range == ColorRange::full ? "full" : "limited";
}

std::string aspect_of(Rational aspect) {
  return aspect.num <= 0 ? "1:1" : concat(aspect.num, ":", aspect.den);
}

std::string siting_of(const VideoFormat& format) {
  static constexpr const char* const names[] = {"left", "center", "topleft", "top", "bottomleft", "bottom"};
  return names[static_cast<int>(format.siting)];
}

bool has_less_chroma(const VideoFormat& format) {
  return format.model == ColorModel::yuv && (format.log2_chroma_w > 0 || format.log2_chroma_h > 0);
}

double aspect_value(Rational aspect) {
  return aspect.num <= 0 || aspect.den <= 0 ? 1.0 : aspect.value();
}

}  // namespace

FrameProperties properties_of(const AVFrame& frame, AVCodecID codec) {
  FrameProperties own;
  own.format = format_of(frame, codec);
  own.sample_aspect = {frame.sample_aspect_ratio.num, frame.sample_aspect_ratio.den};
  own.color_primaries = frame.color_primaries;
  own.color_transfer = frame.color_trc;
  if (compat::is_interlaced(frame))
    own.field_order = compat::is_top_field_first(frame) ? AV_FIELD_TT : AV_FIELD_BB;
  return own;
}

FrameProperties properties_of(const AVFrame& frame, AVCodecID codec, const FrameProperties& first) {
  FrameProperties own = properties_of(frame, codec);
  const bool same_model = own.format.model == first.format.model;
  if (same_model && frame.colorspace == AVCOL_SPC_UNSPECIFIED)
    own.format.matrix_coefficients = first.format.matrix_coefficients;
  if (same_model && frame.chroma_location == AVCHROMA_LOC_UNSPECIFIED)
    own.format.siting = first.format.siting;
  if (own.sample_aspect.num <= 0) own.sample_aspect = first.sample_aspect;
  if (own.color_primaries == AVCOL_PRI_UNSPECIFIED) own.color_primaries = first.color_primaries;
  if (own.color_transfer == AVCOL_TRC_UNSPECIFIED) own.color_transfer = first.color_transfer;
  return own;
}

std::vector<PropertyChange> changes_between(const FrameProperties& first, const FrameProperties& now) {
  std::vector<PropertyChange> changes;
  const auto compare = [&](const char* name, const std::string& is, const std::string& was,
                           const char* remedy) {
    if (is != was) changes.push_back({name, is, was, remedy});
  };
  const VideoFormat& is = now.format;
  const VideoFormat& was = first.format;
  compare("size", size_of(is), size_of(was), fitted);
  compare("sample aspect ratio", aspect_of(now.sample_aspect), aspect_of(first.sample_aspect), fitted);
  compare("pixel format", layout_of(is), layout_of(was), converted);
  if (is.model == was.model && is.model != ColorModel::rgb)
    compare("range", range_of(is), range_of(was), converted);
  const auto matrix = [](const VideoFormat& format) {
    const int tag = format.matrix_coefficients;
    return named(av_color_space_name(static_cast<AVColorSpace>(tag)), tag);
  };
  if (is.model == ColorModel::yuv && was.model == ColorModel::yuv)
    compare("matrix", matrix(is), matrix(was),
            can_change_matrix(is.matrix_coefficients, was.matrix_coefficients) ? converted : kept);
  if (has_less_chroma(is) && has_less_chroma(was))
    compare("chroma location", siting_of(is), siting_of(was), converted);
  const auto primaries = [](int tag) {
    return named(av_color_primaries_name(static_cast<AVColorPrimaries>(tag)), tag);
  };
  if (same_primaries(now.color_primaries) != same_primaries(first.color_primaries))
    compare("set of primaries", primaries(now.color_primaries), primaries(first.color_primaries), kept);
  const auto transfer = [](int tag) {
    return named(av_color_transfer_name(static_cast<AVColorTransferCharacteristic>(tag)), tag);
  };
  if (same_curve(now.color_transfer) != same_curve(first.color_transfer))
    compare("transfer characteristic", transfer(now.color_transfer), transfer(first.color_transfer), kept);
  if (now.field_order != AV_FIELD_UNKNOWN && first.field_order != AV_FIELD_UNKNOWN) {
    const auto name = [](AVFieldOrder order) { return order == AV_FIELD_TT ? "top first" : "bottom first"; };
    compare("field order", name(now.field_order), name(first.field_order),
            "such frames keep it, and the container may still tell the first one's");
  }
  return changes;
}

double relative_shape(const FrameProperties& first, const FrameProperties& now) {
  const auto shape = [](const FrameProperties& p) {
    return static_cast<double>(p.format.width_px) * aspect_value(p.sample_aspect) / p.format.height_px;
  };
  return shape(now) / shape(first);
}

}  // namespace atelier::media
