#include "atelier/base/build_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "atelier/base/version.h"

namespace atelier {
namespace {

// What a program prints, without the line's end.
std::string output_of(const std::string& command) {
  std::string output;
  std::FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 256> part{};
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe))
    output.append(part.data(), size);
  EXPECT_EQ(pclose(pipe), 0) << command;
  while (!output.empty() && output.back() == '\n') output.pop_back();
  return output;
}

std::string probe(const std::string& name) {
  return output_of(std::string(ATELIER_BINARY_DIR) + "/build_id_probe_" + name);
}

TEST(BuildId, TellsProgramsOfOneCommitApart) {
  const std::string first = probe("a");
  EXPECT_THAT(first, testing::MatchesRegex("[0-9a-f]{40}"));
  EXPECT_EQ(probe("a_again"), first) << "the same sources";
  EXPECT_NE(probe("b"), first) << "other sources";
  EXPECT_NE(build_id(), first);
}

TEST(BuildId, IsTheLinkersNote) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  EXPECT_THAT(output_of("readelf --notes \"" + program + "\""),
              testing::HasSubstr("Build ID: " + build_id()));
  EXPECT_THAT(build_text(), testing::HasSubstr(", build " + build_id().substr(0, 16) + ")"));
}

TEST(LoadedLibraries, AreFoundByTheirNames) {
  const std::vector<LoadedLibrary> found = loaded_libraries({"libc.so", "libstdc++"});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].file, "libc.so.6");
  EXPECT_THAT(found[0].build_id, testing::MatchesRegex("[0-9a-f]{40}"));
  EXPECT_THAT(found[1].file, testing::StartsWith("libstdc++.so."));
  EXPECT_TRUE(loaded_libraries({"no such library"}).empty());
}

}  // namespace
}  // namespace atelier
