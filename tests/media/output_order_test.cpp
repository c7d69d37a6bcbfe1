#include "output_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

namespace atelier::media {
namespace {

/// The times that come out; what was said in the end.
struct Told {
  std::vector<std::int64_t> pts;
  std::string obstacle;
};

Told tell(int max_reorder, const std::vector<std::int64_t>& decoded, std::size_t keyframe = 0) {
  OutputOrder order(max_reorder);
  Told told;
  const auto take = [&] {
    while (const auto frame = order.pop()) {
      told.pts.push_back(frame->pts_ticks);
      EXPECT_EQ(decoded[static_cast<std::size_t>(frame->packet)], frame->pts_ticks);
    }
  };
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    if (!order.add({decoded[i], static_cast<std::int64_t>(i)}, i == keyframe)) break;
    take();
  }
  order.finish();
  take();
  told.obstacle = order.obstacle();
  return told;
}

std::vector<std::int64_t> in_order(int count) {
  std::vector<std::int64_t> pts(static_cast<std::size_t>(count));
  std::iota(pts.begin(), pts.end(), 0);
  return pts;
}

/// Any order in which no frame waits for more than three is put right, 500 of them at random.
TEST(OutputOrder, PutsFramesInTheOrderOfTheirTimes) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::int64_t> rest = in_order(60);
    std::vector<std::int64_t> decoded;
    while (!rest.empty()) {
      const std::size_t pick = std::min<std::size_t>(random() % 4, rest.size() - 1);
      // As many frames as it jumps over follow it.
      decoded.push_back(rest[pick]);
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(pick));
      for (std::size_t i = 0; i < pick; ++i) {
        decoded.push_back(rest.front());
        rest.erase(rest.begin());
      }
    }
    const Told told = tell(3, decoded, 1000);
    EXPECT_EQ(told.obstacle, "");
    EXPECT_EQ(told.pts, in_order(60));
  }
}

/// A time far ahead is noticed before the frame behind it is given out, wherever it is.
TEST(OutputOrder, NoticesATimeFarAhead) {
  for (std::size_t place = 0; place < 90; ++place) {
    std::vector<std::int64_t> decoded = in_order(100);
    decoded[place] = 1000;
    for (const int max_reorder : {0, 3, 16}) {
      const Told told = tell(max_reorder, decoded);
      if (decoded.size() - place - 1 <= static_cast<std::size_t>(max_reorder)) continue;
      EXPECT_NE(told.obstacle, "") << place;
      EXPECT_LE(told.pts.size(), place);
    }
  }
}

TEST(OutputOrder, NoticesTimesThatGoBack) {
  std::vector<std::int64_t> decoded = in_order(100);
  decoded[80] = 10;
  EXPECT_NE(tell(16, decoded).obstacle, "");
  decoded = in_order(100);
  decoded[80] = decoded[79];
  EXPECT_NE(tell(16, decoded).obstacle, "");
}

TEST(OutputOrder, NoticesAFrameThatOutlivesAKeyframe) {
  std::vector<std::int64_t> decoded = in_order(40);
  std::swap(decoded[20], decoded[21]);
  EXPECT_EQ(tell(16, decoded, 0).obstacle, "");
  EXPECT_NE(tell(16, decoded, 21).obstacle, "");
}

}  // namespace
}  // namespace atelier::media
