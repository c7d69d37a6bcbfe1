#include "atelier/training/trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/models/safetensors.h"
#include "training/loss_weights.h"

namespace atelier::training {
namespace {

namespace fs = std::filesystem;
using Kind = PictureSet::Kind;

/// A 64 px picture of waves; colour and direction follow the seed.
std::vector<float> waves(int seed) {
  std::vector<float> rgb;
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 64; ++x)
      for (int channel = 0; channel < 3; ++channel)
        rgb.push_back(0.5F +
                      0.4F * std::sin(static_cast<float>(x * (1 + seed % 3) + y * (seed + channel)) / 6.0F));
  return rgb;
}

class TrainerTest : public testing::Test {
 protected:
  TrainerTest() : set_(64), loss_network_(random_squeezenet(), "test weights") {
    for (int i = 0; i < 2; ++i) {
      set_.add(Kind::photo, std::to_string(i), 64, 64, waves(i));
      set_.add(Kind::style, std::to_string(i), 64, 64, waves(i + 4));
    }
    config_.size_px = 32;
    config_.batch = 2;
    config_.log_every = 5;
    config_.seed = 2;
  }

  /// Mean of the last 20 iterations.
  double style_loss_after(int num_iterations) {
    config_.log_every = 20;
    config_.num_iterations = std::max(20, num_iterations);
    config_.learning_rate = num_iterations > 0 ? 2e-3 : 1e-9;
    const TrainReport report = train(set_, loss_network_, start_, config_).report;
    EXPECT_EQ(report.num_iterations, config_.num_iterations);
    return report.style;
  }

  PictureSet set_;
  LossNetwork loss_network_;
  TrainConfig config_;
  models::TensorMap start_ = models::AdaptiveNetwork::initial_parameters(1);
};

TEST_F(TrainerTest, TheStyleLossFalls) {  // to under 3/4 in 100 steps, on any kind of CPU
  EXPECT_LT(style_loss_after(100), 0.75 * style_loss_after(0));
}

TEST_F(TrainerTest, TheSameSeedGivesTheSameWeights) {  // exact
  config_.num_iterations = 3;
  const auto first = train(set_, loss_network_, start_, config_);
  const auto second = train(set_, loss_network_, start_, config_);
  config_.seed = 3;
  const auto third = train(set_, loss_network_, start_, config_);
  bool differs = false;
  for (const auto& [name, tensor] : first.parameters) {
    EXPECT_TRUE(at::equal(tensor, second.parameters.at(name))) << name;
    differs = differs || !at::equal(tensor, third.parameters.at(name));
    EXPECT_FALSE(tensor.requires_grad());
  }
  EXPECT_TRUE(differs);
}

TEST_F(TrainerTest, AVggTeachesToo) {  // to under 3/4 in 100 steps, on any kind of CPU
  loss_network_ = LossNetwork(random_vgg(), "test weights");
  EXPECT_LT(style_loss_after(100), 0.75 * style_loss_after(0));
}

TEST_F(TrainerTest, CheckpointsAndContactSheetsAreWritten) {
  const TemporaryFolder folder;
  config_.num_iterations = 2;
  config_.checkpoint_every = 1;
  config_.output = folder.path() / "w.safetensors";
  config_.sample_folder = folder.path();
  const auto trained = train(set_, loss_network_, start_, config_);
  const auto last = load_weights(config_.output);  // exact
  for (const auto& [name, tensor] : trained.parameters) EXPECT_TRUE(at::equal(tensor, last.at(name))) << name;
  EXPECT_TRUE(fs::exists(folder.path() / "sheet.1.ppm"));
  std::ifstream sheet(folder.path() / "sheet.2.ppm", std::ios::binary);
  std::string header;
  std::getline(sheet, header);
  EXPECT_EQ(header, "P6");
  std::getline(sheet, header);
  EXPECT_EQ(header, "192 192");  // two styles and two photographs of 64 px with themselves at the borders
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST_F(TrainerTest, AResumedTrainingEqualsAnUnbrokenOne) {  // exact
  const TemporaryFolder folder;
  config_.size_px = 96;
  config_.num_iterations = 7;
  config_.stability_weight = 100;
  config_.stability_every = 2;
  config_.late_size_px = 112;
  config_.late_share = 0.4;
  config_.log_every = 1;
  config_.checkpoint_every = 2;
  const auto unbroken = train(set_, loss_network_, start_, config_);
  config_.output = folder.path() / "w.safetensors";
  config_.resume = true;
  for (int end : {3, 5}) {
    int count = 0;
    config_.interrupted = [&] { return ++count == end - (end == 5 ? 3 : 0); };
    EXPECT_TRUE(train(set_, loss_network_, start_, config_).was_interrupted);
  }
  config_.interrupted = [] { return false; };
  const auto resumed = train(set_, loss_network_, start_, config_);
  EXPECT_FALSE(resumed.was_interrupted);
  for (const auto& [name, tensor] : unbroken.parameters)
    EXPECT_TRUE(at::equal(tensor, resumed.parameters.at(name))) << name;
  EXPECT_EQ(lines_of(folder.path() / "w.csv").size(), 8U);  // a header and a row each iteration
}

TEST_F(TrainerTest, AStateOfOtherSettingsIsRefused) {
  const TemporaryFolder folder;
  config_.num_iterations = 2;
  config_.output = folder.path() / "w.safetensors";
  config_.resume = true;
  train(set_, loss_network_, start_, config_);
  config_.style_weight = 3;
  try {
    train(set_, loss_network_, start_, config_);
    FAIL() << "it went on";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("--style-weight 15.0000, not 3.0000"), std::string::npos)
        << error.what();
  }
}

TEST_F(TrainerTest, PicturesHeldAsideAreJudgedAndEndIt) {
  for (int i = 2; i < 30; ++i) {
    set_.add(Kind::photo, std::to_string(i), 64, 64, waves(i));
    set_.add(Kind::style, std::to_string(i), 64, 64, waves(i + 4));
  }
  const TemporaryFolder folder;
  config_.num_iterations = 100000;
  config_.learning_rate = 1e-12;  // no gain
  config_.held_aside_share = 0.3;
  config_.checkpoint_every = 1;
  config_.patience_minutes = 1e-4;
  config_.output = folder.path() / "w.safetensors";
  EXPECT_LT(train(set_, loss_network_, start_, config_).report.num_iterations, 100000);
  const auto lines = lines_of(folder.path() / "w.csv");
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(),
                          [](const std::string& line) { return line.find(",aside,") != std::string::npos; }));
}

TEST_F(TrainerTest, AnEndInTimeIsKept) {
  config_.num_iterations = 100000;
  config_.max_minutes = 0.02;
  const auto report = train(set_, loss_network_, start_, config_).report;
  EXPECT_LT(report.num_iterations, 100000);
  EXPECT_GE(report.seconds_s, 1.2);
}

TEST_F(TrainerTest, StabilityCanBeTrained) {  // to under half, with little else asked for
  config_.size_px = 96;
  config_.batch = 1;
  config_.style_weight = 0.01;
  config_.stability_weight = 1000;
  config_.stability_every = 1;
  config_.num_iterations = 2;
  config_.learning_rate = 1e-6;
  const double before = train(set_, loss_network_, start_, config_).report.instability;
  config_.num_iterations = 25;
  config_.learning_rate = 2e-3;
  const double after = train(set_, loss_network_, start_, config_).report.instability;
  EXPECT_GT(before, 0);
  EXPECT_LT(after, 0.5 * before);
  config_.size_px = 64;
  EXPECT_THROW(train(set_, loss_network_, start_, config_), UsageError);
}

TEST_F(TrainerTest, RefusesWhatCannotBeTrained) {
  EXPECT_THROW(train(PictureSet(64), loss_network_, start_, config_), UsageError);
  config_.size_px = 33;
  EXPECT_THROW(train(set_, loss_network_, start_, config_), UsageError);
  config_.size_px = 32;
  config_.batch = 0;
  EXPECT_THROW(train(set_, loss_network_, start_, config_), UsageError);
}

TEST_F(TrainerTest, WeightsComeBackAndOthersAreRefused) {  // exact
  const TemporaryFolder folder;
  const auto path = folder.path() / "w.safetensors";
  save_weights(path, start_, {{"seed", "1"}});
  for (const auto& [name, tensor] : load_weights(path))
    EXPECT_TRUE(at::equal(tensor, start_.at(name))) << name;
  const auto file = models::parse_safetensors(read_file(path).bytes(), "w");
  EXPECT_EQ(file.metadata.at("network"), "atelier-adaptive-2");
  EXPECT_EQ(file.metadata.at("seed"), "1");
  set_.save(path);
  EXPECT_THROW(load_weights(path), UsageError);
}

}  // namespace
}  // namespace atelier::training
