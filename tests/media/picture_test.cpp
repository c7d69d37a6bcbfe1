#include "atelier/media/picture.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <span>
#include <vector>

#include "atelier/base/error.h"
#include "media/ffmpeg_tools.h"

namespace atelier::media {
namespace {
namespace fs = std::filesystem;
using test::ffmpeg;
using test::run_command;

using Rgb = std::array<float, 3>;

Rgb pixel(const Picture& picture, int x, int y) {
  const std::size_t at = 3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width_px) +
                              static_cast<std::size_t>(x));
  return {picture.rgb.at(at), picture.rgb.at(at + 1), picture.rgb.at(at + 2)};
}

void expect_pixel(const Picture& picture, int x, int y, const Rgb& want, float tolerance) {
  const Rgb got = pixel(picture, x, y);
  for (std::size_t c = 0; c < 3; ++c)
    EXPECT_NEAR(got[c], want[c], tolerance) << "at " << x << "," << y << " channel " << c;
}

std::string why_not(const fs::path& path) {
  try {
    read_picture(path);
  } catch (const UsageError& error) {
    return error.what();
  }
  return {};
}

class PictureTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path file(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] std::string quoted(const std::string& name) const {
    return "\"" + file(name).string() + "\"";
  }
  /// One flat picture of a colour.
  void make(const std::string& name, const std::string& color, const std::string& size,
            const std::string& options) const {
    ffmpeg("-f lavfi -i color=" + color + ":s=" + size + ",format=rgba -frames:v 1 " + options + " " +
           quoted(name));
  }
  /// A picture of one row from raw samples.
  void make_raw(const std::string& name, const std::string& pixel_format, int width,
                const std::vector<std::uint8_t>& bytes) const {
    write_file_once(file("raw"), std::as_bytes(std::span(bytes)));
    ffmpeg(concat("-f rawvideo -pix_fmt ", pixel_format, " -s ", width, "x1 -i ", quoted("raw"), " ",
                  quoted(name)));
  }
  /// Runs a Python script with Pillow; false where there is none.
  [[nodiscard]] bool pillow(const std::string& script) const {
    std::ofstream(file("make.py")) << "import sys\nfrom PIL import Image, ImageOps\nd = sys.argv[1] + \"/\"\n"
                                   << script;
    const std::string python = ATELIER_SOURCE_DIR "/.venv/bin/python";
    return run_command("\"" + python + "\" \"" + file("make.py").string() + "\" \"" +
                       folder_.path().string() + "\" 2>&1")
               .exit_code == 0;
  }
  TemporaryFolder folder_{"atelier-picture-test"};
};

/// Tolerance: lossless, so 1e-6.
TEST_F(PictureTest, PngRoundTripKeepsEveryCode) {
  Picture picture;
  picture.width_px = 16;
  picture.height_px = 16;
  for (int i = 0; i < 256; ++i)
    for (int c = 0; c < 3; ++c) picture.rgb.push_back(static_cast<float>((i * (c + 1)) % 256) / 255.0F);
  write_png(file("a.png"), picture);
  const Picture again = read_picture(file("a.png"));
  ASSERT_EQ(again.width_px, 16);
  ASSERT_EQ(again.height_px, 16);
  for (std::size_t i = 0; i < picture.rgb.size(); ++i) ASSERT_NEAR(again.rgb[i], picture.rgb[i], 1e-6) << i;
}

TEST_F(PictureTest, PngClampsAndRounds) {
  Picture picture{1, 1, {-0.5F, 1.5F, 0.4999F}};
  write_png(file("a.png"), picture);
  expect_pixel(read_picture(file("a.png")), 0, 0, {0.0F, 1.0F, 127.0F / 255.0F}, 1e-6F);
}

/// Lossless kinds: 1e-5. Lossy ones (flat colour): 2.5 codes of 255.
TEST_F(PictureTest, KindsOfPictures) {
  const Rgb want{200 / 255.0F, 100 / 255.0F, 50 / 255.0F};
  struct Kind {
    const char* name;
    const char* options;
    float tolerance;
  };
  for (const Kind& kind : std::initializer_list<Kind>{
           {"rgb8.png", "-pix_fmt rgb24", 1e-5F},
           {"a.bmp", "-pix_fmt bgr24", 1e-5F},
           {"a.tif", "-pix_fmt rgb24", 1e-5F},
           {"a.ppm", "-pix_fmt rgb24", 1e-5F},
           {"lossless.webp", "-lossless 1 -pix_fmt bgra", 1e-5F},
           {"lossy.webp", "-quality 100 -pix_fmt yuv420p", 0.01F},
           {"420.jpg", "-q:v 1 -pix_fmt yuvj420p", 0.01F},
           {"444.jpeg", "-q:v 1 -pix_fmt yuvj444p", 0.01F},
       }) {
    make(kind.name, "0xC86432", "20x10", kind.options);
    const Picture picture = read_picture(file(kind.name));
    EXPECT_EQ(picture.width_px, 20) << kind.name;
    EXPECT_EQ(picture.height_px, 10) << kind.name;
    SCOPED_TRACE(kind.name);
    expect_pixel(picture, 0, 0, want, kind.tolerance);
    expect_pixel(picture, 19, 9, want, kind.tolerance);
  }
}

TEST_F(PictureTest, OnePixel) {
  make("a.png", "0xC86432", "1x1", "-pix_fmt rgb24");
  expect_pixel(read_picture(file("a.png")), 0, 0, {200 / 255.0F, 100 / 255.0F, 50 / 255.0F}, 1e-5F);
  make("a.jpg", "white", "1x1", "-pix_fmt yuvj420p");
  expect_pixel(read_picture(file("a.jpg")), 0, 0, {1.0F, 1.0F, 1.0F}, 0.01F);
}

/// Exact: 1e-6.
TEST_F(PictureTest, SixteenBitsGreyAndAlpha) {
  for (const std::string name : {"a.png", "a.tif"}) {
    make_raw(name, "rgb48le", 2, {0xFF, 0xFF, 0x00, 0x00, 0x34, 0x12, 0x01, 0x00, 0x02, 0x00, 0x00, 0x80});
    SCOPED_TRACE(name);
    expect_pixel(read_picture(file(name)), 0, 0, {1.0F, 0.0F, 0x1234 / 65535.0F}, 1e-6F);
    expect_pixel(read_picture(file(name)), 1, 0, {1 / 65535.0F, 2 / 65535.0F, 0x8000 / 65535.0F}, 1e-6F);
  }
  make_raw("gray.png", "gray", 3, {0, 255, 51});
  expect_pixel(read_picture(file("gray.png")), 0, 0, {0, 0, 0}, 1e-6F);
  expect_pixel(read_picture(file("gray.png")), 1, 0, {1, 1, 1}, 1e-6F);
  expect_pixel(read_picture(file("gray.png")), 2, 0, {0.2F, 0.2F, 0.2F}, 1e-6F);
  make_raw("gray16.png", "gray16le", 1, {0x33, 0x33});
  expect_pixel(read_picture(file("gray16.png")), 0, 0, {0.2F, 0.2F, 0.2F}, 1e-6F);
  make_raw("ya.png", "ya8", 2, {0, 102, 255, 0});
  expect_pixel(read_picture(file("ya.png")), 0, 0, {0.6F, 0.6F, 0.6F}, 1e-6F);
  expect_pixel(read_picture(file("ya.png")), 1, 0, {1, 1, 1}, 1e-6F);
  make_raw("rgba.png", "rgba", 2, {255, 0, 0, 102, 9, 9, 9, 0});
  expect_pixel(read_picture(file("rgba.png")), 0, 0, {1.0F, 0.6F, 0.6F}, 1e-6F);
  expect_pixel(read_picture(file("rgba.png")), 1, 0, {1, 1, 1}, 1e-6F);
}

/// Pillow's own conversions are the reference: 1.5 codes.
TEST_F(PictureTest, PaletteCmykBilevelAndOrientation) {
  if (!pillow(
          "a = Image.new(\"RGB\", (4, 2), (200, 100, 50)); a.putpixel((3, 0), (10, 20, 30)); "
          "a.convert(\"P\", palette=Image.ADAPTIVE, colors=8).save(d + \"p.png\")\n"
          "a.convert(\"CMYK\").save(d + \"c.jpg\", quality=100); a.convert(\"CMYK\").save(d + \"c.tif\")\n"
          "b = Image.new(\"1\", (9, 2), 1); b.putpixel((8, 1), 0); b.save(d + \"b.png\")\n"
          "g = Image.new(\"RGB\", (32, 16), (0, 0, 0)); g.paste((255, 255, 255), (0, 0, 16, 8))\n"
          "for o in range(1, 9):\n"
          "  e = Image.Exif(); e[0x112] = o; g.save(d + \"o%d.jpg\" % o, quality=95, exif=e)\n"
          "  ImageOps.exif_transpose(Image.open(d + \"o%d.jpg\" % o)).save(d + \"o%d.png\" % o)\n"
          "  g.save(d + \"x%d.png\" % o, exif=e); g.save(d + \"x%d.webp\" % o, exif=e)\n"
          "  t = Image.Exif(); t[0x112] = o; g.save(d + \"x%d.tif\" % o, exif=t)\n"))
    GTEST_SKIP() << "no Pillow";
  const Rgb color{200 / 255.0F, 100 / 255.0F, 50 / 255.0F};
  expect_pixel(read_picture(file("p.png")), 0, 0, color, 1e-5F);
  expect_pixel(read_picture(file("p.png")), 3, 0, {10 / 255.0F, 20 / 255.0F, 30 / 255.0F}, 1e-5F);
  expect_pixel(read_picture(file("c.jpg")), 0, 1, color, 0.02F);
  expect_pixel(read_picture(file("c.tif")), 0, 1, color, 0.006F);
  expect_pixel(read_picture(file("b.png")), 0, 0, {1, 1, 1}, 1e-5F);
  expect_pixel(read_picture(file("b.png")), 8, 1, {0, 0, 0}, 1e-5F);
  for (int o = 1; o <= 8; ++o) {
    const Picture want = read_picture(file(concat("o", o, ".png")));
    for (const std::string& name :
         {concat("o", o, ".jpg"), concat("x", o, ".png"), concat("x", o, ".webp"), concat("x", o, ".tif")}) {
      SCOPED_TRACE(name);
      const Picture ours = read_picture(file(name));
      ASSERT_EQ(ours.width_px, want.width_px);
      ASSERT_EQ(ours.height_px, want.height_px);
      for (const int x : {2, ours.width_px - 3})
        for (const int y : {2, ours.height_px - 3}) expect_pixel(ours, x, y, pixel(want, x, y), 0.03F);
    }
  }
}

TEST_F(PictureTest, WhatIsNoPictureIsBadInput) {
  std::ofstream(file("text.jpg")) << "this is no picture\n";
  std::ofstream(file("empty.png"));
  EXPECT_NE(why_not(file("missing.png")).find("no such file"), std::string::npos);
  EXPECT_NE(why_not(file("text.jpg")).find("text file"), std::string::npos);
  EXPECT_NE(why_not(file("empty.png")).find("is empty"), std::string::npos);
  EXPECT_NE(why_not(folder_.path()).find("folder"), std::string::npos);
  ffmpeg("-f lavfi -i sine=duration=0.1 " + quoted("sound.wav"));
  EXPECT_NE(why_not(file("sound.wav")).find("is no picture"), std::string::npos);
  make("whole.png", "red", "300x300", "-pix_fmt rgb24");
  fs::resize_file(file("whole.png"), 60);
  EXPECT_NE(why_not(file("whole.png")).find("whole.png"), std::string::npos);
}

TEST_F(PictureTest, MoreThan16384ASideIsBadInput) {
  make("wide.png", "red", "16385x1", "-pix_fmt rgb24");
  EXPECT_NE(why_not(file("wide.png")).find("too large"), std::string::npos) << why_not(file("wide.png"));
  make("fits.png", "red", "16384x1", "-pix_fmt rgb24");
  EXPECT_EQ(read_picture(file("fits.png")).width_px, 16384);
}

/// Tolerance: a lossy kind, 2.5 codes of 255.
TEST_F(PictureTest, ContentCountsMoreThanTheEnding) {
  make("a.jpg", "0xC86432", "80x60", "-q:v 1 -pix_fmt yuvj444p");
  make("b.png", "0xC86432", "80x60", "-pix_fmt rgb24");
  make("c.webp", "0xC86432", "80x60", "-lossless 1 -pix_fmt bgra");
  make("d.tga", "0xC86432", "80x60", "-pix_fmt bgr24");  // with no signature: only its ending tells
  fs::rename(file("a.jpg"), file("jpeg.png"));
  fs::rename(file("b.png"), file("png.JPG"));
  fs::rename(file("c.webp"), file("webp.tif"));
  for (const char* name : {"jpeg.png", "png.JPG", "webp.tif", "d.tga"}) {
    SCOPED_TRACE(name);
    expect_pixel(read_picture(file(name)), 40, 30, {200 / 255.0F, 100 / 255.0F, 50 / 255.0F}, 0.01F);
  }
}

/// FFmpeg 5 to 7 read neither; where a later one does, that is no fault.
TEST_F(PictureTest, KindsThatFfmpegCannotReadAreNamed) {
  // The beginning of a file of an iPhone: no FFmpeg finds a picture in that.
  const std::string heic(
      "\0\0\0\x18"
      "ftypheic\0\0\0\0mif1heic\0\0\0\x10mdatnothing.",
      40);
  std::ofstream(file("a.heic"), std::ios::binary) << heic;
  std::ofstream(file("b.jpg"), std::ios::binary) << heic;
  for (const char* name : {"a.heic", "b.jpg"}) {
    const std::string why = why_not(file(name));
    EXPECT_NE(why.find("is a HEIC picture, which FFmpeg "), std::string::npos) << why;
    EXPECT_NE(why.find("Convert it to PNG or JPEG first."), std::string::npos) << why;
    EXPECT_EQ(why.find("whole"), std::string::npos) << why;
  }
  ffmpeg("-f lavfi -i testsrc2=s=32x32:r=5:d=1 -c:v libwebp_anim -f webp " + quoted("a.webp"));
  const std::string why = why_not(file("a.webp"));
  if (!why.empty()) {
    EXPECT_NE(why.find("is an animated WebP picture, which FFmpeg "), std::string::npos) << why;
  }
}

}  // namespace
}  // namespace atelier::media
