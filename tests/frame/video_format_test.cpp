#include "atelier/frame/video_format.h"

#include <gtest/gtest.h>

#include "atelier/frame/chunk.h"

namespace atelier {
namespace {

TEST(VideoFormat, RoundsChromaUpForOddSizes) {
  VideoFormat format;
  format.width_px = 5;
  format.height_px = 3;
  EXPECT_EQ(num_planes(format), 3);
  EXPECT_EQ(plane_width_px(format, 1), 3);
  EXPECT_EQ(plane_height_px(format, 2), 2);
  EXPECT_EQ(frame_bytes(format), 15U + 6U + 6U);
  format.bit_depth = 10;
  format.has_alpha = true;
  EXPECT_EQ(num_planes(format), 4);
  EXPECT_EQ(plane_width_px(format, 3), 5);
  EXPECT_EQ(frame_bytes(format), 2U * (15U + 6U + 6U + 15U));
}

TEST(VideoFormat, RgbAndGrayHaveFullPlanes) {
  VideoFormat format;
  format.width_px = 5;
  format.height_px = 3;
  format.model = ColorModel::rgb;
  EXPECT_EQ(frame_bytes(format), 45U);
  format.model = ColorModel::gray;
  EXPECT_EQ(frame_bytes(format), 15U);
}

TEST(Chunk, DefaultLengthIsBoundedByBytes) {
  EXPECT_EQ(default_chunk_length(345600), 48);
  EXPECT_EQ(default_chunk_length(std::int64_t{12} << 20), 21);
  EXPECT_EQ(default_chunk_length(std::int64_t{1} << 30), 1);
}

}  // namespace
}  // namespace atelier
