#include "frame_properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atelier::media {
namespace {

FrameProperties first_properties() {
  FrameProperties first;
  first.format.width_px = 720;
  first.format.height_px = 576;
  first.format.pixel_format = "yuv420p";
  first.format.matrix_coefficients = 6;
  first.sample_aspect = {16, 11};
  first.color_primaries = 5;
  first.color_transfer = 6;
  first.field_order = AV_FIELD_TT;
  return first;
}

TEST(FramePropertiesTest, EachChangeIsNamedByTwoNames) {
  const FrameProperties first = first_properties();
  EXPECT_TRUE(changes_between(first, first).empty());
  FrameProperties now = first;
  now.format.width_px = 704;
  now.format.pixel_format = "yuv422p";
  now.format.range = ColorRange::full;
  now.format.matrix_coefficients = 1;
  now.format.siting = ChromaSiting::center;
  now.sample_aspect = {12, 11};
  now.color_primaries = 1;
  now.color_transfer = 16;
  now.field_order = AV_FIELD_BB;
  std::vector<std::string> said;
  for (const PropertyChange& change : changes_between(first, now)) {
    EXPECT_NE(change.now, change.first) << change.name;
    said.push_back(std::string(change.name) + " " + change.now + " " + change.first);
  }
  EXPECT_THAT(said, testing::ElementsAre(
                        "size 704x576 720x576", "sample aspect ratio 12:11 16:11",
                        "pixel format yuv422p yuv420p", "range full limited", "matrix bt709 smpte170m",
                        "chroma location center left", "set of primaries bt709 bt470bg",
                        "transfer characteristic smpte2084 smpte170m", "field order bottom first top first"));
}

TEST(FramePropertiesTest, OtherNamesOfTheSameAreNoChange) {
  FrameProperties first = first_properties();
  first.format.range = ColorRange::full;
  first.sample_aspect = {0, 1};
  FrameProperties now = first;
  now.format.pixel_format = "yuvj420p";
  now.sample_aspect = {1, 1};
  now.field_order = AV_FIELD_UNKNOWN;
  now.color_transfer = 1;  // the curve of 6
  EXPECT_TRUE(changes_between(first, now).empty());
}

TEST(FramePropertiesTest, OpenTagsAreTheFirstFrames) {
  const FramePtr frame = make_frame();
  frame->format = AV_PIX_FMT_YUV420P;
  frame->width = 720;
  frame->height = 576;
  frame->color_range = AVCOL_RANGE_MPEG;
  const FrameProperties first = first_properties();
  EXPECT_TRUE(changes_between(first, properties_of(*frame, AV_CODEC_ID_H264, first)).empty());
  frame->colorspace = AVCOL_SPC_BT709;
  frame->sample_aspect_ratio = {12, 11};
  const FrameProperties now = properties_of(*frame, AV_CODEC_ID_H264, first);
  EXPECT_EQ(changes_between(first, now).size(), 2U);
  EXPECT_DOUBLE_EQ(relative_shape(first, now), 0.75);
}

}  // namespace
}  // namespace atelier::media
