#include "atelier/training/picture_set.h"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/models/safetensors.h"

namespace atelier::training {
namespace {

using Kind = PictureSet::Kind;

/// Red grows across, green grows down, blue is 0.5.
std::vector<float> ramp(int width_px, int height_px) {
  std::vector<float> rgb;
  for (int y = 0; y < height_px; ++y)
    for (int x = 0; x < width_px; ++x)
      for (const float value : {(static_cast<float>(x) + 0.5F) / static_cast<float>(width_px),
                                (static_cast<float>(y) + 0.5F) / static_cast<float>(height_px), 0.5F})
        rgb.push_back(value);
  return rgb;
}

TEST(PictureSet, ScalesToTheShorterSideAndKeepsTheMiddle) {  // 2 of 255: filter at the borders
  PictureSet set(16);
  set.add(Kind::photo, "wide", 128, 32, ramp(128, 32));
  const at::Tensor picture = set.pictures(Kind::photo).at("wide");
  ASSERT_EQ(picture.sizes(), (at::IntArrayRef{16, 32, 3}));
  EXPECT_NEAR(picture[8][16][0].item<int>(), 128, 4);
  EXPECT_NEAR(picture[8][0][0].item<int>(), 255 * 0.25, 2 + 255 / 64.0);  // the outer quarters are cut
  EXPECT_NEAR(picture[12][16][1].item<int>(), 255 * 12.5 / 16, 2);
  EXPECT_NEAR(picture[8][16][2].item<int>(), 128, 1);
}

TEST(PictureSet, ComesBackFromItsFile) {  // exact
  const TemporaryFolder folder;
  PictureSet set(16);
  set.add(Kind::photo, "a.jpg", 20, 30, ramp(20, 30));
  set.add(Kind::style, "a.jpg", 8, 8, ramp(8, 8));
  set.save(folder.path() / "set");
  const PictureSet back = PictureSet::load(folder.path() / "set");
  EXPECT_EQ(back.short_side_px(), 16);
  for (const Kind kind : {Kind::photo, Kind::style}) {
    ASSERT_EQ(back.pictures(kind).size(), 1U);
    EXPECT_TRUE(at::equal(back.pictures(kind).at("a.jpg"), set.pictures(kind).at("a.jpg")));
  }
}

TEST(PictureSet, RefusesOtherFiles) {
  const TemporaryFolder folder;
  EXPECT_THROW(PictureSet::load(folder.path() / "none"), UsageError);
  models::TensorFile file;
  write_file_once(folder.path() / "weights", models::write_safetensors(file).bytes());
  EXPECT_THROW(PictureSet::load(folder.path() / "weights"), UsageError);
  PictureSet set(16);
  EXPECT_THROW(set.add(Kind::photo, "short", 4, 4, std::vector<float>(5)), JobError);
}

TEST(RandomCrop, IsASquareOfThePictureAndFollowsItsSeed) {  // exact but for the range: 0.02, filter
  PictureSet set(64);
  set.add(Kind::photo, "p", 96, 64, ramp(96, 64));
  const at::Tensor picture = set.pictures(Kind::photo).at("p");
  std::mt19937_64 first(1);
  std::mt19937_64 second(1);
  bool mirrored = false;
  bool upright = false;
  for (int i = 0; i < 20; ++i) {
    const at::Tensor crop = random_crop(picture, 32, first);
    ASSERT_EQ(crop.sizes(), (at::IntArrayRef{1, 3, 32, 32}));
    EXPECT_TRUE(at::equal(crop, random_crop(picture, 32, second)));
    const float across = crop[0][0][16][31].item<float>() - crop[0][0][16][0].item<float>();
    (across > 0 ? upright : mirrored) = true;
    // 32 to 64 px of 96 across.
    EXPECT_GT(std::abs(across), 31.0F / 96 - 0.02F);
    EXPECT_LT(std::abs(across), 64.0F / 96 + 0.02F);
  }
  EXPECT_TRUE(mirrored && upright);
}

TEST(RandomCrop, EnlargesPicturesThatAreTooSmall) {
  PictureSet set(16);
  set.add(Kind::photo, "p", 16, 16, ramp(16, 16));
  std::mt19937_64 random(1);
  EXPECT_EQ(random_crop(set.pictures(Kind::photo).at("p"), 32, random).sizes(),
            (at::IntArrayRef{1, 3, 32, 32}));
}

}  // namespace
}  // namespace atelier::training
