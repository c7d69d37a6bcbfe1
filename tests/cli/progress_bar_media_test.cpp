#include "progress_bar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>

namespace atelier::cli {
namespace {

constexpr BarCells ascii;
constexpr BarCells blocks{.full = "█", .empty = "░", .columns = 1};

pipeline::Progress half_done() {
  return {.num_frames_done = 240,
          .num_frames = 480,
          .frames_per_s = 12.5,
          .remaining_s = 19.2,
          .num_failures = 1};
}

// Of UTF-8 in which all is one column wide but the bar's cells.
int width(const std::string& text, const BarCells& cells) {
  int columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) == 0x80) continue;
    columns += byte >= 0x80 ? cells.columns : 1;
  }
  return columns;
}

TEST(ProgressBar, FitsEveryWidth) {
  constexpr BarCells wide{.full = "█", .empty = "░", .columns = 2};
  pipeline::Progress least;
  for (const BarCells& cells : {ascii, blocks, wide})
    for (const pipeline::Progress& progress : {half_done(), least})
      for (int columns = 0; columns < 200; ++columns)
        EXPECT_LE(width(bar_line(progress, columns, cells), cells), std::max(0, columns - 1)) << columns;
}

TEST(ProgressBar, SaysTheMoreTheMoreRoomThereIs) {
  const std::string all = "50 % 240/480 frames, 12.50 frames/s, 0:19 left, 1 failure";
  EXPECT_EQ(bar_line(half_done(), 200, ascii), std::string(15, '#') + std::string(15, '.') + ' ' + all);
  EXPECT_EQ(bar_line(half_done(), 80, ascii), std::string(10, '#') + std::string(11, '.') + ' ' + all);
  EXPECT_EQ(bar_line(half_done(), 67, ascii), "####.... " + all);
  EXPECT_EQ(bar_line(half_done(), 66, ascii), all);
  EXPECT_EQ(bar_line(half_done(), 58, ascii), all);
  EXPECT_EQ(bar_line(half_done(), 57, ascii), "50 % 240/480 frames, 0:19 left");
  EXPECT_EQ(bar_line(half_done(), 30, ascii), "50 % 0:19 left");
  EXPECT_EQ(bar_line(half_done(), 10, ascii), "50 %");
  EXPECT_EQ(bar_line(half_done(), 4, ascii), "");
}

TEST(ProgressBar, CountsColumnsNotBytes) {
  const std::string line = bar_line(half_done(), 80, blocks);
  EXPECT_EQ(width(line, blocks), 79);
  EXPECT_TRUE(line.starts_with("██████████░░░░░░░░░░░ 50 %")) << line;
}

TEST(ProgressBar, WithoutATotalCountsFrames) {
  pipeline::Progress progress;
  progress.num_frames_done = 7;
  EXPECT_EQ(bar_line(progress, 40, ascii), "........... 0 % 7 frames, 0.00 frames/s");
}

// The variables of this process, as they were when it ends.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ~Variable() { set(before_ ? before_->c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const char* value) {
    if (value == nullptr)
      unsetenv(name_);
    else
      setenv(name_, value, 1);
  }
  const char* name_;
  std::optional<std::string> before_;
};

TEST(ProgressBar, IsOfBlocksOnlyWhereTheLocaleHasThem) {
  const Variable all("LC_ALL", "C");
  EXPECT_STREQ(bar_cells_of_locale().full, "#");
  const Variable utf8("LC_ALL", "C.UTF-8");
  EXPECT_STREQ(bar_cells_of_locale().full, "█");
  EXPECT_EQ(bar_cells_of_locale().columns, 1);
  const Variable unknown("LC_ALL", "xx_NO.SUCH");
  EXPECT_STREQ(bar_cells_of_locale().full, "#");
}

}  // namespace
}  // namespace atelier::cli
