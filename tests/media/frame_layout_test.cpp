#include "frame_layout.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "frame_shaper.h"
#include "pixel_layout.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

constexpr int width_px = 13;
constexpr int height_px = 5;

FramePtr make_frame_of(AVPixelFormat format) {
  FramePtr frame = make_frame();
  frame->format = format;
  frame->width = width_px;
  frame->height = height_px;
  check_av(av_frame_get_buffer(frame.get(), 0), "no frame");
  check_av(av_frame_make_writable(frame.get()), "no frame");
  for (int p = 0; p < 4 && frame->buf[p] != nullptr; ++p)
    std::memset(frame->buf[p]->data, 0, frame->buf[p]->size);
  return frame;
}

/// A sample that depends on all of its place.
unsigned sample(int component, int x, int y, int depth) {
  return (static_cast<unsigned>(component * 7919 + x * 104729 + y * 1299709 + 12345) * 2654435761U >> 12) &
         ((1U << depth) - 1);
}

unsigned stored(const Buffer& buffer, const VideoFormat& format, int plane, int x, int y) {
  const std::size_t index =
      plane_offset_bytes(format, plane) + static_cast<std::size_t>(y * plane_width_px(format, plane) + x) *
                                              static_cast<std::size_t>(bytes_per_sample(format));
  const auto low = std::to_integer<unsigned>(buffer.data()[index]);
  return bytes_per_sample(format) == 1 ? low : low | std::to_integer<unsigned>(buffer.data()[index + 1]) << 8;
}

/// Exact for every format of whole numbers up to 16 bits that FFmpeg can describe: written with FFmpeg's own
/// writer, read back from our planes.
TEST(FrameLayoutTest, EveryPixelFormatKeepsEverySample) {
  int num_formats = 0;
  for (const AVPixFmtDescriptor* desc = av_pix_fmt_desc_next(nullptr); desc != nullptr;
       desc = av_pix_fmt_desc_next(desc)) {
    constexpr std::uint64_t other =
        AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_PAL;
    const std::string_view name(desc->name);
    if ((desc->flags & other) != 0 || name.starts_with("xyz") || name == "uyyvyy411" ||
        desc->comp[0].depth > 16)
      continue;
    SCOPED_TRACE(desc->name);
    const FramePtr frame = make_frame_of(av_pix_fmt_desc_get_id(desc));
    const VideoFormat format = format_of(*frame, AV_CODEC_ID_NONE);
    for (int c = 0; c < desc->nb_components; ++c) {
      const bool chroma = format.model == ColorModel::yuv && (c == 1 || c == 2);
      const int w = chroma ? AV_CEIL_RSHIFT(width_px, desc->log2_chroma_w) : width_px;
      const int h = chroma ? AV_CEIL_RSHIFT(height_px, desc->log2_chroma_h) : height_px;
      for (int y = 0; y < h; ++y) {
        std::vector<std::uint16_t> row;
        for (int x = 0; x < w; ++x)
          row.push_back(static_cast<std::uint16_t>(sample(c, x, y, desc->comp[c].depth)));
        av_write_image_line2(row.data(), frame->data, frame->linesize, desc, 0, y, c, w, 2);
      }
    }
    Buffer planes(frame_bytes(format));
    copy_samples(*frame, format, tight_planes(format, planes.data()));
    for (int p = 0; p < num_planes(format); ++p) {
      const bool alpha = format.has_alpha && p == num_planes(format) - 1;
      const int c = alpha ? desc->nb_components - 1 : desc->nb_components <= 2 ? 0 : p;
      const int depth = desc->comp[c].depth;
      const unsigned top = (1U << depth) - 1;
      const unsigned to = (1U << format.bit_depth) - 1;
      for (int y = 0; y < plane_height_px(format, p); ++y)
        for (int x = 0; x < plane_width_px(format, p); ++x) {
          unsigned want = sample(c, x, y, depth);
          if (name == "monow") want = 1 - want;
          // Full range stays full, by rounding; coded video moves up by bits.
          if (depth != format.bit_depth)
            want = format.range == ColorRange::full ? (want * to + top / 2) / top
                                                    : want << (format.bit_depth - depth);
          ASSERT_EQ(stored(planes, format, p, x, y), want) << "plane " << p << " at " << x << "," << y;
        }
    }
    ++num_formats;
  }
  EXPECT_GT(num_formats, 150);
}

/// XYZ goes through swscale. Tolerance: 1 code of 4095 for black; FFmpeg's curves decide the rest.
TEST(FrameLayoutTest, XyzBecomesRgb) {
  const FramePtr frame = make_frame_of(AV_PIX_FMT_XYZ12LE);
  EXPECT_FALSE(can_copy_samples(*frame));
  FrameShaper shaper(*frame, AV_CODEC_ID_JPEG2000, 0);
  EXPECT_EQ(shaper.format().model, ColorModel::rgb);
  EXPECT_EQ(shaper.format().bit_depth, 12);
  for (int x = 0; x < 3 * width_px; ++x) frame->data[0][2 * frame->linesize[0] + 2 * x + 1] = 0xC0;
  const Buffer planes = shaper.planes(*frame);
  for (int p = 0; p < 3; ++p) {
    EXPECT_LE(stored(planes, shaper.format(), p, 3, 1), 1U);
    EXPECT_GT(stored(planes, shaper.format(), p, 3, 2), 2000U);
  }
}

/// Exact: 0.5 codes of 65535.
TEST(FrameLayoutTest, FloatsBecomeSixteenBits) {
  for (const AVPixelFormat pixel_format :
       {AV_PIX_FMT_GRAYF32LE, AV_PIX_FMT_GBRPF32LE, AV_PIX_FMT_GBRAPF32LE}) {
    const FramePtr frame = make_frame_of(pixel_format);
    const std::vector<float> values{0.0F, 1.0F, 0.5F, -3.0F, 7.0F, 0.25F};
    const std::vector<unsigned> want{0, 65535, 32768, 0, 65535, 16384};
    const VideoFormat format = format_of(*frame, AV_CODEC_ID_NONE);
    EXPECT_EQ(format.bit_depth, 16);
    for (int p = 0; p < num_planes(format); ++p)
      std::memcpy(frame->data[p] + frame->linesize[p], values.data(), values.size() * sizeof(float));
    Buffer planes(frame_bytes(format));
    copy_samples(*frame, format, tight_planes(format, planes.data()));
    for (int p = 0; p < num_planes(format); ++p)
      for (std::size_t x = 0; x < want.size(); ++x)
        EXPECT_EQ(stored(planes, format, p, static_cast<int>(x), 1), want[x]);
  }
}

TEST(FrameLayoutTest, UnsetTagsAreResolved) {
  FramePtr frame = make_frame_of(AV_PIX_FMT_YUV420P);
  EXPECT_EQ(format_of(*frame, AV_CODEC_ID_H264).matrix_coefficients, 6);
  EXPECT_EQ(format_of(*frame, AV_CODEC_ID_H264).range, ColorRange::limited);
  EXPECT_EQ(format_of(*frame, AV_CODEC_ID_H264).siting, ChromaSiting::left);
  EXPECT_EQ(format_of(*frame, AV_CODEC_ID_MJPEG).siting, ChromaSiting::center);
  frame->height = 720;
  EXPECT_EQ(format_of(*frame, AV_CODEC_ID_H264).matrix_coefficients, 1);
  frame->colorspace = AVCOL_SPC_BT2020_NCL;
  frame->color_range = AVCOL_RANGE_JPEG;
  frame->chroma_location = AVCHROMA_LOC_TOPLEFT;
  EXPECT_EQ(format_of(*frame, AV_CODEC_ID_H264).matrix_coefficients, 9);
  EXPECT_EQ(format_of(*frame, AV_CODEC_ID_H264).range, ColorRange::full);
  EXPECT_EQ(format_of(*frame, AV_CODEC_ID_H264).siting, ChromaSiting::top_left);
  frame = make_frame_of(AV_PIX_FMT_GRAY8);
  EXPECT_EQ(format_of(*frame, AV_CODEC_ID_H264).range, ColorRange::limited);
  EXPECT_EQ(format_of(*frame, AV_CODEC_ID_FFV1).range, ColorRange::full);
  frame = make_frame_of(AV_PIX_FMT_RGB24);
  EXPECT_EQ(format_of(*frame, AV_CODEC_ID_PNG).matrix_coefficients, 0);
  EXPECT_EQ(format_of(*frame, AV_CODEC_ID_PNG).range, ColorRange::full);
}

}  // namespace
}  // namespace atelier::media
