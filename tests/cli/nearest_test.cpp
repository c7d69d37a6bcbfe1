#include "nearest.h"

#include <gtest/gtest.h>

namespace atelier::cli {
namespace {

TEST(Nearest, CountsChanges) {
  EXPECT_EQ(edit_distance("style", "style"), 0U);
  EXPECT_EQ(edit_distance("", "style"), 5U);
  EXPECT_EQ(edit_distance("stye", "style"), 1U);
  EXPECT_EQ(edit_distance("stylee", "style"), 1U);
  EXPECT_EQ(edit_distance("stile", "style"), 1U);
  EXPECT_EQ(edit_distance("stlye", "style"), 1U) << "two neighbours swapped";
  EXPECT_EQ(edit_distance("ca", "abc"), 3U) << "nothing is changed within what was swapped";
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Nearest, NamesWhatWasProbablyMeant) {
  const std::vector<std::string> known{"style", "style-weights", "start", "status", "crf", "output"};
  EXPECT_EQ(nearest_name("stye", known), "style");
  EXPECT_EQ(nearest_name("styel", known), "style");
  EXPECT_EQ(nearest_name("stat", known), "status") << "what it begins comes first";
  EXPECT_EQ(nearest_name("sart", known), "start");
  EXPECT_EQ(nearest_name("style-wieght", known), "style-weights");
  EXPECT_EQ(nearest_name("out", known), "output");
  EXPECT_EQ(nearest_name("crff", known), "crf");
}

TEST(Nearest, NamesNothingWhereNothingIsNear) {
  const std::vector<std::string> known{"style", "crf", "bench"};
  for (const char* far : {"", "x", "xyz", "sparkle", "st", "benches-of-wood"})
    EXPECT_EQ(nearest_name(far, known), "") << far;
  EXPECT_EQ(nearest_name(std::string(10000, 's'), known), "");
  EXPECT_EQ(nearest_name("style", {}), "");
}

}  // namespace
}  // namespace atelier::cli
