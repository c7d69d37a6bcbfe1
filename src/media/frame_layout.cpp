#include "frame_layout.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>
#include <vector>

#include "atelier/base/text.h"
#include "pixel_layout.h"

extern "C" {
#include <libavutil/intreadwrite.h>
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

constexpr int sd_height_px = 576;

/// Still-picture and mezzanine codecs store grey in full range where they say nothing; broadcast codecs do
/// not.
bool is_broadcast_codec(AVCodecID codec) {
  switch (codec) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_AV1:
    case AV_CODEC_ID_VP8:
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4:
      return true;
    default:
      return false;
  }
}

ColorRange range_of(const AVFrame& frame, AVCodecID codec, const VideoFormat& format) {
  const std::string_view name(format.pixel_format);
  if (format.model == ColorModel::rgb || name.starts_with("yuvj") || name.starts_with("mono"))
    return ColorRange::full;
  if (frame.color_range == AVCOL_RANGE_JPEG) return ColorRange::full;
  if (frame.color_range == AVCOL_RANGE_MPEG) return ColorRange::limited;
  return format.model == ColorModel::gray && !is_broadcast_codec(codec) ? ColorRange::full
                                                                        : ColorRange::limited;
}

int matrix_of(const AVFrame& frame, const VideoFormat& format) {
  if (format.model == ColorModel::rgb) return AVCOL_SPC_RGB;
  if (frame.colorspace != AVCOL_SPC_UNSPECIFIED && frame.colorspace != AVCOL_SPC_RESERVED &&
      frame.colorspace != AVCOL_SPC_RGB)
    return frame.colorspace;
  return frame.height <= sd_height_px ? AVCOL_SPC_SMPTE170M : AVCOL_SPC_BT709;
}

/// How the samples of one component lie in a decoded frame.
struct Component {
  int plane = 0;
  int step_bytes = 1;
  int offset_bytes = 0;
  int shift = 0;
  int depth = 8;
  bool wide = false;     ///< 16-bit words
  bool swapped = false;  ///< big-endian
};

Component component_of(const AVPixFmtDescriptor& desc, int index) {
  const AVComponentDescriptor& comp = desc.comp[index];
  Component c{comp.plane, comp.step, comp.offset, comp.shift, comp.depth, comp.depth + comp.shift > 8, false};
  const bool big_endian = (desc.flags & AV_PIX_FMT_FLAG_BE) != 0;
  c.swapped = c.wide && big_endian;
  // FFmpeg counts the bytes of a big-endian word from its end.
  if (!c.wide && big_endian) ++c.offset_bytes;
  return c;
}

/// Scales samples of one depth to another: left shift where black and white are codes (yuv), else so that
/// full stays full.
struct DepthChange {
  unsigned from_max = 255;
  unsigned to_max = 255;
  int left_shift = 0;
  bool stretch = false;

  DepthChange(int from, int to, const VideoFormat& layout)
      : from_max((1U << from) - 1), to_max((1U << to) - 1), left_shift(to - from) {
    stretch = from != to && (layout.range == ColorRange::full || from < 8);
  }
  [[nodiscard]] unsigned operator()(unsigned value) const {
    if (stretch) return (value * to_max + from_max / 2) / from_max;
    return left_shift >= 0 ? value << left_shift : value >> -left_shift;
  }
  [[nodiscard]] bool none() const { return from_max == to_max; }
};

void store_row(const std::uint16_t* values, int count, bool wide, std::uint8_t* row) {
  if (wide) {
    for (int x = 0; x < count; ++x) AV_WL16(row + std::ptrdiff_t{2} * x, values[x]);
  } else {
    for (int x = 0; x < count; ++x) row[x] = static_cast<std::uint8_t>(values[x]);
  }
}

void load_row(const std::uint8_t* row, const Component& c, int count, std::uint16_t* values) {
  const unsigned mask = (1U << c.depth) - 1;
  const std::uint8_t* at = row + c.offset_bytes;
  for (int x = 0; x < count; ++x, at += c.step_bytes) {
    const unsigned word = !c.wide ? *at : c.swapped ? AV_RB16(at) : AV_RL16(at);
    values[x] = static_cast<std::uint16_t>((word >> c.shift) & mask);
  }
}

/// One plane of a palette picture: entries are 0xAARRGGBB in the machine's own byte order.
void load_palette_row(const std::uint8_t* row, const std::uint8_t* palette, int plane, int count,
                      std::uint16_t* values) {
  static constexpr int shift_of_plane[] = {16, 8, 0, 24};
  for (int x = 0; x < count; ++x)
    values[x] = static_cast<std::uint16_t>(
        (AV_RN32(palette + std::ptrdiff_t{4} * row[x]) >> shift_of_plane[plane]) & 0xFF);
}

std::uint16_t to_word(float value) {
  return static_cast<std::uint16_t>(
      std::lround(std::clamp(std::isnan(value) ? 0.0F : value, 0.0F, 1.0F) * 65535.0F));
}

void load_float_row(const std::uint8_t* row, const AVComponentDescriptor& comp, bool swapped, int count,
                    std::uint16_t* values) {
  const std::uint8_t* at = row + comp.offset;
  for (int x = 0; x < count; ++x, at += comp.step)
    values[x] = to_word(std::bit_cast<float>(swapped ? AV_RB32(at) : AV_RL32(at)));
}

/// The component of a decoded pixel format that fills a plane of layout.
int component_index(const AVPixFmtDescriptor& desc, const VideoFormat& layout, int plane) {
  const bool alpha = layout.has_alpha && plane == num_planes(layout) - 1;
  if (alpha) return desc.nb_components - 1;
  return layout.model == ColorModel::rgb && desc.nb_components <= 2 ? 0 : plane;
}

}  // namespace

ChromaSiting siting_of(int chroma_location_tag, AVCodecID codec) {
  switch (chroma_location_tag) {
    case AVCHROMA_LOC_CENTER:
      return ChromaSiting::center;
    case AVCHROMA_LOC_TOPLEFT:
      return ChromaSiting::top_left;
    case AVCHROMA_LOC_TOP:
      return ChromaSiting::top;
    case AVCHROMA_LOC_BOTTOMLEFT:
      return ChromaSiting::bottom_left;
    case AVCHROMA_LOC_BOTTOM:
      return ChromaSiting::bottom;
    case AVCHROMA_LOC_LEFT:
      return ChromaSiting::left;
    default:
      break;
  }
  const bool centered =
      codec == AV_CODEC_ID_MJPEG || codec == AV_CODEC_ID_WEBP || codec == AV_CODEC_ID_MPEG1VIDEO;
  return centered ? ChromaSiting::center : ChromaSiting::left;
}

VideoFormat format_of(const AVFrame& frame, AVCodecID codec) {
  VideoFormat format;
  const auto pixel_format = static_cast<AVPixelFormat>(frame.format);
  format.width_px = frame.width;
  format.height_px = frame.height;
  set_layout(pixel_format, format);
  format.pixel_format = av_get_pix_fmt_name(pixel_format);
  format.range = range_of(frame, codec, format);
  format.matrix_coefficients = matrix_of(frame, format);
  format.siting = siting_of(frame.chroma_location, codec);
  return format;
}

PlaneViews tight_planes(const VideoFormat& format, std::byte* data) {
  PlaneViews views;
  for (int p = 0; p < num_planes(format); ++p)
    views[static_cast<std::size_t>(p)] = {
        reinterpret_cast<std::uint8_t*>(data + plane_offset_bytes(format, p)),
        std::ptrdiff_t{plane_width_px(format, p)} * bytes_per_sample(format)};
  return views;
}

PlaneViews planes_of(const VideoFormat& format, AVFrame& frame) {
  PlaneViews views;
  for (int p = 0; p < num_planes(format); ++p) {
    const int index = av_plane(format, p);
    views[static_cast<std::size_t>(p)] = {frame.data[index], frame.linesize[index]};
  }
  return views;
}

bool can_copy_samples(const AVFrame& frame) {
  const AVPixFmtDescriptor& desc = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const std::string_view name(desc.name);
  const bool floats = (desc.flags & AV_PIX_FMT_FLAG_FLOAT) != 0;
  return (desc.flags & AV_PIX_FMT_FLAG_BAYER) == 0 && !name.starts_with("xyz") && name != "uyyvyy411" &&
         (floats ? desc.comp[0].depth == 32 : desc.comp[0].depth <= 16);
}

void copy_samples(const AVFrame& frame, const VideoFormat& layout, const PlaneViews& planes) {
  const AVPixFmtDescriptor& desc = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const std::string_view name(desc.name);
  const bool palette = (desc.flags & AV_PIX_FMT_FLAG_PAL) != 0;
  const bool bits = (desc.flags & AV_PIX_FMT_FLAG_BITSTREAM) != 0;
  const bool floats = (desc.flags & AV_PIX_FMT_FLAG_FLOAT) != 0;
  if (!can_copy_samples(frame))
    throw UsageError(concat("pixel format '", name, "' cannot be handled"), {},
                     "Convert the video to a common pixel format first");
  const bool inverted = name == "monow";
  const bool wide = layout.bit_depth > 8;
  std::vector<std::uint16_t> values(static_cast<std::size_t>(layout.width_px));
  for (int p = 0; p < num_planes(layout); ++p) {
    const PlaneView& out = planes[static_cast<std::size_t>(p)];
    const int index = palette ? 0 : component_index(desc, layout, p);
    const int width = plane_width_px(layout, p);
    const int height = plane_height_px(layout, p);
    const Component c = component_of(desc, index);
    const DepthChange change(palette ? 8 : floats ? 16 : c.depth, layout.bit_depth, layout);
    const int sample_bytes = bytes_per_sample(layout);
    const bool plain = !palette && !bits && !floats && change.none() && c.shift == 0 && !c.swapped &&
                       c.offset_bytes == 0 && c.step_bytes == sample_bytes;
    for (int y = 0; y < height; ++y) {
      std::uint8_t* row = out.data + y * out.row_bytes;
      const std::uint8_t* source = frame.data[c.plane] + std::ptrdiff_t{y} * frame.linesize[c.plane];
      if (plain) {
        std::memcpy(row, source, static_cast<std::size_t>(width) * static_cast<std::size_t>(sample_bytes));
        continue;
      }
      if (palette) {
        load_palette_row(source, frame.data[1], p, width, values.data());
      } else if (bits) {
        const std::uint8_t* data[4] = {frame.data[0], frame.data[1], frame.data[2], frame.data[3]};
        av_read_image_line2(values.data(), data, frame.linesize, &desc, 0, y, index, width, 0, 2);
      } else if (floats) {
        load_float_row(source, desc.comp[index], (desc.flags & AV_PIX_FMT_FLAG_BE) != 0, width,
                       values.data());
      } else {
        load_row(source, c, width, values.data());
      }
      if (inverted)
        for (std::uint16_t& value : values) value = value == 0 ? 1 : 0;
      if (!change.none())
        for (std::uint16_t& value : values) value = static_cast<std::uint16_t>(change(value));
      store_row(values.data(), width, wide, row);
    }
  }
}

}  // namespace atelier::media
