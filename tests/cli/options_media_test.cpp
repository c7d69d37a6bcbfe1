#include "options.h"

#include <gtest/gtest.h>

#include <fstream>
#include <span>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"

namespace atelier::cli {
namespace {

using Arguments = std::vector<std::string>;
using Environment = std::map<std::string, std::string>;

pipeline::RunConfig parse(Arguments arguments, const Environment& environment = {}) {
  arguments.insert(arguments.end(), {"--input", "in.mp4", "--output", "out.mp4"});
  return parse_run(arguments, environment).config;
}

std::string message(const Arguments& arguments) {
  try {
    (void)parse(arguments);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "no error";
}

class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) : path_(folder_.path() / "a.cfg") {
    write_file_once(path_, std::as_bytes(std::span(text)));
  }
  [[nodiscard]] std::string name() const { return path_.string(); }

 private:
  TemporaryFolder folder_;
  std::filesystem::path path_;
};

TEST(Options, ReadEveryKindOfValue) {
  const auto c = parse({"--style",
                        "a.jpg",
                        "--style=b.jpg",
                        "--style-weights",
                        "0.7,0.3",
                        "--strength",
                        "0.5",
                        "--start",
                        "1:02:03.5",
                        "--duration",
                        "90",
                        "--chunk-frames",
                        "12",
                        "--precision",
                        "bf16",
                        "--crf",
                        "18.5",
                        "--encoder-options",
                        "tune=film,g=12",
                        "--encoder-options",
                        "bf=0",
                        "--overwrite"});
  EXPECT_EQ(c.styles, (std::vector<std::filesystem::path>{"a.jpg", "b.jpg"}));
  EXPECT_EQ(c.style_weights, (std::vector<double>{0.7, 0.3}));
  EXPECT_EQ(c.strength, 0.5);
  EXPECT_EQ(c.start_s, 3723.5);
  EXPECT_EQ(c.duration_s, 90);
  EXPECT_EQ(c.chunk_frames, 12);
  EXPECT_EQ(c.precision, tensor::Precision::bf16);
  EXPECT_EQ(c.crf, 18.5);
  ASSERT_EQ(c.encoder_options.size(), 3U);
  EXPECT_EQ(c.encoder_options[2].first, "bf");
  EXPECT_TRUE(c.overwrite);
  EXPECT_FALSE(parse({}).overwrite);
}

TEST(Options, CommandLineWinsOverEnvironmentOverConfigOverDefault) {
  const ConfigFile file("strength = 0.1\nheight = 100\noverwrite = true\ncodec = ffv1\n");
  const Environment environment = {
      {"ATELIER_STRENGTH", "0.2"}, {"ATELIER_HEIGHT", "200"}, {"ATELIER_NO_OPTION", "x"}};
  const auto c = parse({"--config", file.name(), "--strength", "0.3"}, environment);
  EXPECT_EQ(c.strength, 0.3);
  EXPECT_EQ(c.height_px, 200);
  EXPECT_EQ(c.codec, "ffv1");
  EXPECT_TRUE(c.overwrite);
  EXPECT_EQ(c.engine, "adaptive");
}

TEST(Options, LaterConfigFilesWin) {
  const ConfigFile first("strength = 0.1\ncodec = ffv1\n");
  const ConfigFile second("strength = 0.2\n");
  const auto c = parse({"--config", first.name(), "--config", second.name()});
  EXPECT_EQ(c.strength, 0.2);
  EXPECT_EQ(c.codec, "ffv1");
}

TEST(Options, DumpedConfigGivesTheSameSettings) {
  const auto c = parse({"--style", "a.jpg", "--style", "b.jpg", "--strength", "0.25", "--overwrite"});
  testing::internal::CaptureStdout();
  print_config(c);
  const ConfigFile file(testing::internal::GetCapturedStdout());
  const auto again = parse_run({"--config", file.name()}, {}).config;
  EXPECT_EQ(again.settings, c.settings);
  EXPECT_EQ(again.styles, c.styles);
}

TEST(Options, AreRefusedInOneSentence) {
  EXPECT_EQ(message({}), "no error");
  EXPECT_NE(message({"--sparkle"}).find("--sparkle"), std::string::npos);
  EXPECT_NE(message({"--streng", "1"}).find("--streng"), std::string::npos)
      << "options cannot be abbreviated";
  EXPECT_NE(message({"stray"}).find("positional"), std::string::npos);
  for (const char* bad : {"1.5", "-1", "nan", "x", "0.5x"})
    EXPECT_NE(message({"--strength", bad}).find("--strength cannot be"), std::string::npos) << bad;
  for (const char* bad : {"1:2:3:4", ":", "1:", "-1", "x", ""})
    EXPECT_NE(message({"--start=" + std::string(bad)}), "no error") << bad;
  EXPECT_NE(message({"--engine", "magic"}).find("adaptive, feedforward, identity"), std::string::npos);
  EXPECT_NE(message({"--encode", "nowhere"}).find("auto, root, workers"), std::string::npos);
  EXPECT_NE(message({"--strength", "1", "--strength", "0"}).find("2 times"), std::string::npos);
  EXPECT_NE(message({"--preview", "1", "--dry-run"}).find("contradict"), std::string::npos);
  EXPECT_NE(message({"--config", "/no/such/file"}).find("/no/such/file"), std::string::npos);
  EXPECT_NE(message({"--encoder-options", "crf"}).find("key=value"), std::string::npos);
  EXPECT_THROW(parse_run({"--output", "a.mp4"}, {}), UsageError) << "no input";
  EXPECT_THROW(parse_run({"--input", "a.mp4"}, {}), UsageError) << "no output";
}

TEST(Options, SimulatedEngine) {
  const auto config = parse_run({"--input", "a", "--output", "b", "--engine", "simulated", "--simulated-ms",
                                 "2.5", "--simulated-slow-rank", "3:4", "--simulated-slow-rank", "5:0.5"},
                                {})
                          .config;
  EXPECT_EQ(config.simulated_ms, 2.5);
  ASSERT_EQ(config.simulated_slow.size(), 2U);
  EXPECT_EQ(config.simulated_slow[0], std::pair(3, 4.0));
  for (const char* bad : {"3", "0:2", "3:-1", "3:2:1", "x:1"})
    EXPECT_NE(message({"--engine", "simulated", "--simulated-slow-rank", bad}), "no error") << bad;
}

TEST(Options, RefuseConfigFilesWithUnknownKeys) {
  const ConfigFile file("sparkle = 1\n");
  EXPECT_NE(message({"--config", file.name()}).find("sparkle"), std::string::npos);
}

TEST(Options, AllHaveAHelpText) {
  for (const Option& option : run_options()) {
    EXPECT_GT(std::string(option.help).size(), 5U) << option.name;
    EXPECT_TRUE(option.apply) << option.name;
  }
}

}  // namespace
}  // namespace atelier::cli
