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
  EXPECT_NE(message({"stray"}).find("'stray' belongs to no option"), std::string::npos);
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

TEST(Options, UnknownOnesNameTheNearest) {
  EXPECT_EQ(message({"--stye", "a.jpg"}),
            "unknown option '--stye'. Did you mean --style? See 'atelier run --help'.");
  EXPECT_EQ(message({"--stye=a.jpg"}), message({"--stye", "a.jpg"}));
  EXPECT_EQ(message({"--dumpconfig"}),
            "unknown option '--dumpconfig'. Did you mean --dump-config? See 'atelier run --help'.");
  EXPECT_EQ(message({"--sparkle"}), "unknown option '--sparkle'. See 'atelier run --help'.");
  const ConfigFile file("chunk-frame = 1\n");
  EXPECT_EQ(message({"--config", file.name()}),
            "config file '" + file.name() +
                "': there is no option 'chunk-frame'. Did you mean chunk-frames? See 'atelier run --help'.");
}

TEST(Options, WarnsOfVariablesThatAreNearlyOptions) {
  const Arguments arguments{"--input", "a", "--output", "b"};
  const auto warnings = [&](const char* variable) {
    return parse_run(arguments, {{variable, "1"}}).warnings;
  };
  ASSERT_EQ(warnings("ATELIER_CHUNKFRAMES").size(), 1U);
  EXPECT_EQ(warnings("ATELIER_CHUNKFRAMES")[0],
            "the variable ATELIER_CHUNKFRAMES is no option and has no effect. Did you mean "
            "ATELIER_CHUNK_FRAMES?");
  // Of options, of the kits of launchers, of the tests, and of others.
  for (const char* variable :
       {"ATELIER_CHUNK_FRAMES", "ATELIER_PROGRAM", "ATELIER_CONFIG", "ATELIER_LAUNCHER", "ATELIER_SHARED",
        "ATELIER_STORE", "ATELIER_KILLS", "ATELIER_SIGNALS", "HEIGTH"})
    EXPECT_TRUE(warnings(variable).empty()) << variable;
}

TEST(Options, HelpHasEveryOptionOnceUnderItsHeading) {
  testing::internal::CaptureStdout();
  print_run_help();
  const std::string help = testing::internal::GetCapturedStdout();
  for (const Option& option : run_options()) {
    const std::string line = "\n  --" + std::string(option.name) + ' ';
    const std::size_t at = help.find(line);
    ASSERT_NE(at, std::string::npos) << option.name;
    EXPECT_EQ(help.find(line, at + 1), std::string::npos) << option.name;
    const bool for_developers = std::string(option.name).starts_with("simulated-");
    EXPECT_EQ(option.group == OptionGroup::developers, for_developers) << option.name;
    EXPECT_EQ(at > help.find("\nFor developers:"), for_developers) << option.name;
  }
  std::size_t last = 0;
  for (const char* heading : {"Style", "Video, or a part of it", "Output", "Work", "Interruptions",
                              "What is said", "Settings", "For developers"}) {
    const std::size_t at = help.find("\n" + std::string(heading) + ":\n");
    ASSERT_NE(at, std::string::npos) << heading;
    EXPECT_GT(at, last) << heading;
    last = at;
  }
}

TEST(Options, AllHaveAHelpText) {
  for (const Option& option : run_options()) {
    EXPECT_GT(std::string(option.help).size(), 5U) << option.name;
    EXPECT_TRUE(option.apply) << option.name;
  }
}

}  // namespace
}  // namespace atelier::cli
