// Pictures that are stored turned or mirrored come as a viewer shows them; FFmpeg's own filters are the
// reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "atelier/media/picture.h"
#include "atelier/media/video_reader.h"
#include "media/decoded.h"
#include "media/ffmpeg_tools.h"
#include "media/packet_chunks.h"
#include "side_data_entries.h"
#include "upright.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {
namespace fs = std::filesystem;
using test::ffmpeg;
using test::set_orientation;
using test_support::decode;
using test_support::Decoded;

/// What shows a picture of EXIF orientation 1 to 8 upright.
constexpr const char* filters[] = {"null",
                                   "hflip",
                                   "hflip,vflip",
                                   "vflip",
                                   "transpose=cclock_flip",
                                   "transpose=clock",
                                   "transpose=clock_flip",
                                   "transpose=cclock"};

class UprightTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path file(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] std::string quoted(const std::string& name) const {
    return "\"" + file(name).string() + "\"";
  }
  void make_jpeg(const std::string& name, const std::string& size, const std::string& pixel_format,
                 int orientation) const {
    ffmpeg("-f lavfi -i testsrc2=s=" + size + ",format=" + pixel_format + " -frames:v 1 -q:v 2 " +
           quoted(name));
    if (orientation > 0) set_orientation(file(name), orientation);
  }
  /// Slopes of 3 codes a sample: Cb from left to right, Cr from top to bottom; the luma is one too.
  void make_slopes(const std::string& name, const std::string& pixel_format) const {
    std::vector<std::byte> bytes;
    for (int y = 0; y < height_px; ++y)
      for (int x = 0; x < width_px; ++x) bytes.push_back(static_cast<std::byte>(2 * x + y));
    const bool halves_rows = pixel_format == "yuvj420p";
    for (const bool across : {true, false})
      for (int y = 0; y < (halves_rows ? (height_px + 1) / 2 : height_px); ++y)
        for (int x = 0; x < (width_px + 1) / 2; ++x)
          bytes.push_back(static_cast<std::byte>(20 + (across ? 6 * x : halves_rows ? 6 * y : 3 * y)));
    write_file_once(file("slopes"), bytes);
    ffmpeg(concat("-f rawvideo -pix_fmt ", pixel_format, " -s ", width_px, "x", height_px, " -i ",
                  quoted("slopes"), " -q:v 1 ", quoted(name)));
  }
  static constexpr int width_px = 61;
  static constexpr int height_px = 47;
  /// The planes of a picture one after the other, each through the filter.
  [[nodiscard]] std::vector<std::byte> filtered_planes(const std::string& name, const std::string& planes,
                                                       const std::string& filter) const {
    std::vector<std::byte> all;
    for (const char plane : planes) {
      ffmpeg("-noautorotate -i " + quoted(name) + " -vf extractplanes=" + plane + "," + filter +
             " -f rawvideo -pix_fmt gray " + quoted("raw"));
      const Buffer bytes = read_file(file("raw"));
      all.insert(all.end(), bytes.bytes().begin(), bytes.bytes().end());
    }
    return all;
  }
  TemporaryFolder folder_{"atelier-upright-test"};
};

/// Exact: samples are moved. 4:2:2 on its side is 4:4:0, and the other way round.
TEST_F(UprightTest, SamplesAreMovedExactly) {
  for (const std::string pixel_format : {"yuvj420p", "yuvj422p", "yuvj440p"})
    for (int orientation = 1; orientation <= 8; ++orientation) {
      if (pixel_format != "yuvj420p" && orientation != 3 && orientation != 6) continue;
      SCOPED_TRACE(concat(pixel_format, " ", orientation));
      make_jpeg("a.jpg", "64x48", pixel_format, orientation);
      const Decoded ours = decode(file("a.jpg"));
      ASSERT_EQ(ours.planes.size(), 1U);
      const VideoFormat& format = ours.info.format;
      const bool on_its_side = orientation > 4;
      EXPECT_EQ(format.width_px, on_its_side ? 48 : 64);
      EXPECT_EQ(format.height_px, on_its_side ? 64 : 48);
      EXPECT_EQ(format.range, ColorRange::full);
      if (pixel_format == "yuvj422p") {
        EXPECT_EQ(format.pixel_format, on_its_side ? "yuvj440p" : "yuvj422p");
      }
      const auto want = filtered_planes("a.jpg", "yuv", filters[orientation - 1]);
      const auto got = ours.planes[0].bytes();
      EXPECT_TRUE(std::equal(got.begin(), got.end(), want.begin(), want.end()));
    }
}

/// Luma exact. Chroma is a slope of 3 codes a sample, so that one that is half a chroma sample off differs by
/// 3; it is coded and interpolated: 1 code in the mean.
TEST_F(UprightTest, ChromaOfOddSizesStaysInPlace) {
  for (const std::string pixel_format : {"yuvj420p", "yuvj422p"})
    for (int orientation = 1; orientation <= 8; ++orientation) {
      SCOPED_TRACE(concat(pixel_format, " ", orientation));
      make_slopes("a.jpg", pixel_format);
      set_orientation(file("a.jpg"), orientation);
      const Picture picture = read_picture(file("a.jpg"));  // turned as RGB
      const Decoded ours = decode(file("a.jpg"));
      const VideoFormat& format = ours.info.format;
      ASSERT_EQ(format.width_px, picture.width_px);
      ASSERT_EQ(format.height_px, picture.height_px);
      const auto luma = filtered_planes("a.jpg", "y", filters[orientation - 1]);
      const auto got = ours.planes[0].bytes();
      EXPECT_TRUE(std::equal(luma.begin(), luma.end(), got.begin()));
      const bool on_its_side = orientation > 4;
      double sum = 0;
      int count = 0;
      for (int plane = 1; plane <= 2; ++plane) {
        const bool follows_x = (plane == 1) != on_its_side;
        const int log2 = follows_x ? format.log2_chroma_w : format.log2_chroma_h;
        const int width = plane_width_px(format, plane);
        const int height = plane_height_px(format, plane);
        const int stored_length = plane == 1 ? width_px : height_px;
        const bool is_halved = plane == 1 || pixel_format == "yuvj420p";  // as it is stored
        const bool mirrored =
            plane == 1 ? orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8
                       : orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
        for (int y = 2; y < height - 2; ++y)
          for (int x = 2; x < width - 2; ++x) {
            const int index = follows_x ? x : y;
            const double at = (index << log2) + 0.5 * ((1 << log2) - 1);
            const double stored = mirrored ? stored_length - 1 - at : at;
            const std::size_t offset = plane_offset_bytes(format, plane) +
                                       static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                                       static_cast<std::size_t>(x);
            sum += std::to_integer<int>(got[offset]) - (3 * stored + (is_halved ? 18.5 : 20));
            ++count;
          }
        EXPECT_NEAR(sum / count, 0, 1) << "plane " << plane;
      }
    }
}

/// Of three pictures the second lies on its side: all come alike, none of them turned by the output.
TEST_F(UprightTest, FoldersMayMixOrientations) {
  fs::create_directory(file("row"));
  make_jpeg("a.png", "64x48", "rgb24", 0);
  for (const auto& [name, filter] :
       {std::pair{"row/1.jpg", "null"}, {"row/2.jpg", "transpose=cclock"}, {"row/3.jpg", "null"}})
    ffmpeg("-i " + quoted("a.png") + " -vf " + filter + " -q:v 1 -pix_fmt yuvj444p " + quoted(name));
  set_orientation(file("row/2.jpg"), 6);
  const Decoded ours = decode(file("row"));
  ASSERT_EQ(ours.planes.size(), 3U);
  EXPECT_EQ(ours.num_rescaled, 0);
  EXPECT_TRUE(unpack_entries(ours.info.stream_side_data).empty());
  // Each was coded by itself: 4 codes in the mean.
  double sum = 0;
  const auto first = ours.planes[0].bytes();
  const auto second = ours.planes[1].bytes();
  for (std::size_t i = 0; i < first.size(); ++i)
    sum += std::abs(std::to_integer<int>(first[i]) - std::to_integer<int>(second[i]));
  EXPECT_LT(sum / static_cast<double>(first.size()), 4);
  EXPECT_EQ(ours.hashes[2], ours.hashes[0]);
}

/// A row whose pictures are all on their sides is decoded by workers as it is by the root.
TEST_F(UprightTest, ChunksOfPacketsAreTurnedAlike) {
  fs::create_directory(file("row"));
  for (int i = 1; i <= 5; ++i) {
    ffmpeg(concat("-f lavfi -i testsrc2=s=64x48 -ss ", i, " -frames:v 1 -pix_fmt yuvj422p ",
                  quoted(concat("row/", i, ".jpg"))));
    set_orientation(file(concat("row/", i, ".jpg")), 8);
  }
  const VideoReaderConfig config{.path = file("row")};
  const auto whole = test_support::decode_whole(config);
  ASSERT_EQ(whole.size(), 5U);
  const test_support::ByPackets ours = test_support::decode_by_packets(config, 2);
  EXPECT_EQ(ours.obstacle, "");
  EXPECT_EQ(ours.fault, "");
  EXPECT_EQ(ours.frames.size(), whole.size());
  test_support::expect_same_start(ours.frames, whole);
}

/// Formats that only resampling can turn, or whose elements are no single samples: size, format, luma exact.
TEST(UprightFrame, OfAnyPixelFormat) {
  struct Case {
    AVPixelFormat from;
    AVPixelFormat to;
  };
  for (const Case& one : {Case{AV_PIX_FMT_YUV411P, AV_PIX_FMT_YUV444P},
                          {AV_PIX_FMT_YUYV422, AV_PIX_FMT_YUV440P},
                          {AV_PIX_FMT_RGB24, AV_PIX_FMT_RGB24},
                          {AV_PIX_FMT_GRAY16LE, AV_PIX_FMT_GRAY16LE},
                          {AV_PIX_FMT_PAL8, AV_PIX_FMT_PAL8}}) {
    SCOPED_TRACE(av_get_pix_fmt_name(one.from));
    FramePtr frame = make_frame();
    frame->format = one.from;
    frame->width = 16;
    frame->height = 8;
    ASSERT_GE(av_frame_get_buffer(frame.get(), 0), 0);
    for (const AVBufferRef* buffer : frame->buf)
      if (buffer != nullptr) std::fill_n(buffer->data, buffer->size, std::uint8_t{128});
    frame->data[0][0] = 200;  // at the left of the first row
    frame->sample_aspect_ratio = {4, 3};
    av_dict_set(&frame->metadata, "Orientation", "    6", 0);
    const FramePtr turned = upright(std::move(frame), AV_CODEC_ID_TIFF);
    EXPECT_EQ(turned->width, 8);
    EXPECT_EQ(turned->height, 16);
    EXPECT_EQ(turned->format, one.to) << av_get_pix_fmt_name(static_cast<AVPixelFormat>(turned->format));
    EXPECT_EQ(av_cmp_q(turned->sample_aspect_ratio, {3, 4}), 0);
    EXPECT_EQ(av_dict_get(turned->metadata, "Orientation", nullptr, 0), nullptr);
    const int step = one.from == AV_PIX_FMT_RGB24 ? 3 : one.from == AV_PIX_FMT_GRAY16LE ? 2 : 1;
    EXPECT_EQ(turned->data[0][7 * step], 200);  // at the right
    EXPECT_EQ(turned->data[0][0], 128);
  }
}

}  // namespace
}  // namespace atelier::media
