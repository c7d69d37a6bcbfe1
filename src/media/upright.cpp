#include "upright.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "atelier/base/text.h"
#include "frame_layout.h"
#include "frame_shaper.h"
#include "orientation.h"
#include "pixel_layout.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

/// Bytes of one element of each plane; all 0 where moving elements would not turn the picture, as where they
/// are bits or hold two luma samples each.
using ElementBytes = std::array<int, 4>;
ElementBytes element_bytes(const AVPixFmtDescriptor& desc) {
  ElementBytes bytes{};
  if ((desc.flags & (AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_BAYER)) != 0) return bytes;
  for (int c = 0; c < desc.nb_components; ++c) {
    int& plane = bytes[static_cast<std::size_t>(desc.comp[c].plane)];
    if (plane != 0 && plane != desc.comp[c].step) return {};
    plane = desc.comp[c].step;
  }
  return bytes;
}

struct Size {
  int width;
  int height;
};
Size plane_size(const AVPixFmtDescriptor& desc, int plane, Size frame) {
  const bool chroma = plane == 1 || plane == 2;
  return {chroma ? AV_CEIL_RSHIFT(frame.width, desc.log2_chroma_w) : frame.width,
          chroma ? AV_CEIL_RSHIFT(frame.height, desc.log2_chroma_h) : frame.height};
}

void turn_plane(const PlaneView& in, const PlaneView& out, Size out_size, int bytes, Orientation o) {
  const std::ptrdiff_t step_x = o.transposed ? in.row_bytes : bytes;
  const std::ptrdiff_t step_y = o.transposed ? bytes : in.row_bytes;
  for (int y = 0; y < out_size.height; ++y) {
    const std::uint8_t* from = in.data + (o.flip_y ? out_size.height - 1 - y : y) * step_y +
                               (o.flip_x ? out_size.width - 1 : 0) * step_x;
    std::uint8_t* to = out.data + y * out.row_bytes;
    for (int x = 0; x < out_size.width; ++x, to += bytes, from += o.flip_x ? -step_x : step_x)
      std::memcpy(to, from, static_cast<std::size_t>(bytes));
  }
}

/// The format whose chroma is halved the other way round where that of format is on its side.
AVPixelFormat format_on_its_side(AVPixelFormat format) {
  const AVPixFmtDescriptor& desc = *av_pix_fmt_desc_get(format);
  if (desc.log2_chroma_w == desc.log2_chroma_h) return format;
  std::string name = desc.name;
  const std::size_t at = std::min(name.find("422"), name.find("440"));
  if (at == std::string::npos) return AV_PIX_FMT_NONE;
  name.replace(at, 3, name.substr(at, 3) == "422" ? "440" : "422");
  return av_get_pix_fmt(name.c_str());
}

/// Where the chroma of a turned frame lies, with half samples counted from 0 (left, top) to 2; axes without
/// subsampling say nothing.
std::optional<AVChromaLocation> turned_location(const VideoFormat& format, Orientation o) {
  struct Place {
    ChromaSiting siting;
    AVChromaLocation location;
    int x;
    int y;
  };
  static constexpr Place places[] = {{ChromaSiting::center, AVCHROMA_LOC_CENTER, 1, 1},
                                     {ChromaSiting::left, AVCHROMA_LOC_LEFT, 0, 1},
                                     {ChromaSiting::top_left, AVCHROMA_LOC_TOPLEFT, 0, 0},
                                     {ChromaSiting::top, AVCHROMA_LOC_TOP, 1, 0},
                                     {ChromaSiting::bottom_left, AVCHROMA_LOC_BOTTOMLEFT, 0, 2},
                                     {ChromaSiting::bottom, AVCHROMA_LOC_BOTTOM, 1, 2}};
  bool is_halved_x = format.log2_chroma_w > 0;
  bool is_halved_y = format.log2_chroma_h > 0;
  int x = 1;
  int y = 1;
  for (const Place& place : places)
    if (place.siting == format.siting) std::tie(x, y) = std::pair(place.x, place.y);
  if (o.transposed) {
    std::swap(x, y);
    std::swap(is_halved_x, is_halved_y);
  }
  if (o.flip_x) x = 2 - x;
  if (o.flip_y) y = 2 - y;
  for (const Place& place : places)
    if ((!is_halved_x || place.x == x) && (!is_halved_y || place.y == y)) return place.location;
  return std::nullopt;
}

/// Luma samples that the last of the chroma samples along an axis covers beyond the picture's edge.
int overhang(int size, int log2_chroma) {
  return (AV_CEIL_RSHIFT(size, log2_chroma) << log2_chroma) - size;
}

/// Moves samples towards the next by overhang / span of their distance.
struct Shift {
  int overhang = 0;
  int span = 1;
  [[nodiscard]] int operator()(int sample, int next) const {
    return (sample * (span - overhang) + next * overhang + span / 2) / span;
  }
};
template <typename Sample>
void shift_plane(const PlaneView& plane, Size size, Shift across, Shift down) {
  const auto row = [&](int y) { return reinterpret_cast<Sample*>(plane.data + y * plane.row_bytes); };
  for (int y = 0; across.overhang > 0 && y < size.height; ++y)
    for (int x = 0; x + 1 < size.width; ++x)
      row(y)[x] = static_cast<Sample>(across(row(y)[x], row(y)[x + 1]));
  for (int y = 0; down.overhang > 0 && y + 1 < size.height; ++y)
    for (int x = 0; x < size.width; ++x) row(y)[x] = static_cast<Sample>(down(row(y)[x], row(y + 1)[x]));
}

/// Chroma whose last sample covers less than the others lies elsewhere once it is the first.
void shift_chroma(AVFrame& frame, Orientation o) {
  const AVPixFmtDescriptor& desc = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const Size size{frame.width, frame.height};
  const Shift across{o.flip_x ? overhang(size.width, desc.log2_chroma_w) : 0, 1 << desc.log2_chroma_w};
  const Shift down{o.flip_y ? overhang(size.height, desc.log2_chroma_h) : 0, 1 << desc.log2_chroma_h};
  for (int p = 1; p <= 2; ++p) {
    const PlaneView plane{frame.data[p], frame.linesize[p]};
    if (desc.comp[p].step == 2)
      shift_plane<std::uint16_t>(plane, plane_size(desc, p, size), across, down);
    else
      shift_plane<std::uint8_t>(plane, plane_size(desc, p, size), across, down);
  }
}

FramePtr new_frame(AVPixelFormat format, Size size, const AVFrame& properties) {
  FramePtr frame = make_frame();
  frame->format = format;
  frame->width = size.width;
  frame->height = size.height;
  constexpr const char* problem = "memory for a frame is short";
  check_av(av_frame_get_buffer(frame.get(), 0), problem);
  check_av(av_frame_copy_props(frame.get(), &properties), problem);
  return frame;
}

/// The planar format with the planes of layout, by the name that the frame's format has in full range.
std::optional<AVPixelFormat> planar_format(const VideoFormat& layout, std::string_view like) {
  try {
    const AVPixelFormat planar = planar_pixel_format(layout);
    const std::string name = av_get_pix_fmt_name(planar);
    if (!like.starts_with("yuvj") || !name.starts_with("yuv")) return planar;
    const AVPixelFormat twin = av_get_pix_fmt(concat("yuvj", name.substr(3)).c_str());
    return twin == AV_PIX_FMT_NONE ? planar : twin;
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

FramePtr in_layout(const AVFrame& frame, const VideoFormat& layout, AVPixelFormat format, AVCodecID codec) {
  const Buffer planes = FrameShaper(properties_of(frame, codec), layout, codec).planes(frame);
  FramePtr out = new_frame(format, {layout.width_px, layout.height_px}, frame);
  const PlaneViews to = planes_of(layout, *out);
  for (int p = 0; p < num_planes(layout); ++p) {
    const std::size_t row_bytes = static_cast<std::size_t>(plane_width_px(layout, p)) *
                                  static_cast<std::size_t>(bytes_per_sample(layout));
    for (int y = 0; y < plane_height_px(layout, p); ++y)
      std::memcpy(
          to[static_cast<std::size_t>(p)].data + y * to[static_cast<std::size_t>(p)].row_bytes,
          planes.bytes().data() + plane_offset_bytes(layout, p) + static_cast<std::size_t>(y) * row_bytes,
          row_bytes);
  }
  out->color_range = layout.range == ColorRange::full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  return out;
}

FramePtr with_moved_samples(const AVFrame& frame, AVPixelFormat format, Orientation o) {
  const AVPixFmtDescriptor& desc = *av_pix_fmt_desc_get(format);
  const ElementBytes bytes = element_bytes(desc);
  const Size size = o.transposed ? Size{frame.height, frame.width} : Size{frame.width, frame.height};
  FramePtr out = new_frame(format, size, frame);
  for (int p = 0; p < 4; ++p)
    if (bytes[static_cast<std::size_t>(p)] > 0)
      turn_plane({frame.data[p], frame.linesize[p]}, {out->data[p], out->linesize[p]},
                 plane_size(desc, p, size), bytes[static_cast<std::size_t>(p)], o);
  if ((desc.flags & AV_PIX_FMT_FLAG_PAL) != 0) std::memcpy(out->data[1], frame.data[1], AVPALETTE_SIZE);
  if (o.transposed && frame.sample_aspect_ratio.num > 0)
    out->sample_aspect_ratio = {frame.sample_aspect_ratio.den, frame.sample_aspect_ratio.num};
  return out;
}

/// By way of planes without subsampling; back to it where there is such a format.
FramePtr turned_by_resampling(const AVFrame& frame, const VideoFormat& layout, Orientation o,
                              AVCodecID codec) {
  const std::string_view name(layout.pixel_format);
  VideoFormat full = layout;
  full.log2_chroma_w = full.log2_chroma_h = 0;
  const std::optional<AVPixelFormat> full_format = planar_format(full, name);
  if (!full_format) throw UsageError(concat("pixel format '", name, "' cannot be turned"));
  FramePtr out = with_moved_samples(*in_layout(frame, full, *full_format, codec), *full_format, o);
  VideoFormat wanted = layout;
  wanted.width_px = out->width;
  wanted.height_px = out->height;
  if (o.transposed) std::swap(wanted.log2_chroma_w, wanted.log2_chroma_h);
  const std::optional<AVPixelFormat> format = planar_format(wanted, name);
  if (!format || *format == *full_format) return out;
  wanted.siting = ChromaSiting::center;
  out = in_layout(*out, wanted, *format, codec);
  out->chroma_location = AVCHROMA_LOC_CENTER;
  return out;
}

FramePtr turned(const AVFrame& frame, Orientation o, AVCodecID codec) {
  const VideoFormat layout = format_of(frame, codec);
  auto format = static_cast<AVPixelFormat>(frame.format);
  if (o.transposed) format = format_on_its_side(format);
  const std::optional<AVChromaLocation> location = turned_location(layout, o);
  const AVPixFmtDescriptor& desc = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const bool subsampled = layout.log2_chroma_w + layout.log2_chroma_h > 0 && layout.model == ColorModel::yuv;
  // Chroma may have to be shifted: samples of a plane each, as this machine has them.
  const bool is_plain = desc.comp[1].plane != desc.comp[2].plane && (desc.flags & AV_PIX_FMT_FLAG_BE) == 0;
  const bool can_move = element_bytes(desc)[0] > 0 && (!subsampled || is_plain);
  if (!can_move || format == AV_PIX_FMT_NONE || (subsampled && !location))
    return turned_by_resampling(frame, layout, o, codec);
  FramePtr out = with_moved_samples(frame, format, o);
  if (subsampled) shift_chroma(*out, o);
  if (subsampled && siting_of(frame.chroma_location, codec) != siting_of(*location, codec))
    out->chroma_location = *location;
  return out;
}

}  // namespace

FramePtr upright(FramePtr frame, AVCodecID codec) {
  const Orientation orientation = orientation_of(*frame);
  if (!orientation.is_upright()) frame = turned(*frame, orientation, codec);
  av_frame_remove_side_data(frame.get(), AV_FRAME_DATA_DISPLAYMATRIX);
  av_dict_set(&frame->metadata, "Orientation", nullptr, 0);
  return frame;
}

}  // namespace atelier::media
