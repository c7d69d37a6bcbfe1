#include "atelier/training/trainer.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/models/safetensors.h"

namespace atelier::training {
namespace {

namespace fs = std::filesystem;
using Kind = PictureSet::Kind;

/// Weights of the loss network's shape, random: enough to have something to learn.
std::map<std::string, at::Tensor> random_loss_weights() {
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(9);
  std::map<std::string, at::Tensor> tensors;
  const auto add = [&](const std::string& name, std::int64_t out, std::int64_t in, std::int64_t kernel) {
    const double deviation = std::sqrt(2.0 / static_cast<double>(in * kernel * kernel));
    tensors[name + ".weight"] = at::randn({out, in, kernel, kernel}, generator, at::kFloat) * deviation;
    tensors[name + ".bias"] = at::zeros({out}, at::kFloat);
  };
  add("conv1", 64, 3, 3);
  const auto add_fire = [&](const std::string& name, std::int64_t in, std::int64_t squeezed,
                            std::int64_t half) {
    add(name + ".squeeze1x1", squeezed, in, 1);
    add(name + ".expand1x1", half, squeezed, 1);
    add(name + ".expand3x3", half, squeezed, 3);
  };
  add_fire("fire2", 64, 16, 64);
  add_fire("fire3", 128, 16, 64);
  add_fire("fire4", 128, 32, 128);
  add_fire("fire5", 256, 32, 128);
  return tensors;
}

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
  TrainerTest() : set_(64), loss_network_(random_loss_weights(), "test weights") {
    for (int i = 0; i < 2; ++i) {
      set_.add(Kind::photo, std::to_string(i), 64, 64, waves(i));
      set_.add(Kind::style, std::to_string(i), 64, 64, waves(i + 4));
    }
    config_.size_px = 32;
    config_.batch = 2;
    config_.log_every = 5;
    config_.seed = 2;
  }

  PictureSet set_;
  LossNetwork loss_network_;
  TrainConfig config_;
  models::TensorMap start_ = models::AdaptiveNetwork::initial_parameters(1);
};

TEST_F(TrainerTest, TheStyleLossFalls) {  // to under 3/4 in 60 steps, on any kind of CPU
  config_.num_iterations = 5;
  config_.learning_rate = 1e-6;
  const TrainReport before = train(set_, loss_network_, start_, config_).report;
  config_.num_iterations = 60;
  config_.learning_rate = 2e-3;
  const TrainReport after = train(set_, loss_network_, start_, config_).report;
  EXPECT_EQ(after.num_iterations, 60);
  EXPECT_LT(after.style, 0.75 * before.style);
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

TEST_F(TrainerTest, CheckpointsAndContactSheetsAreWritten) {
  const TemporaryFolder folder;
  config_.num_iterations = 2;
  config_.checkpoint_every = 1;
  config_.checkpoint = folder.path() / "w.safetensors";
  config_.sample_folder = folder.path();
  const auto trained = train(set_, loss_network_, start_, config_);
  const auto last = load_weights(folder.path() / "w.2.safetensors");  // exact
  for (const auto& [name, tensor] : trained.parameters) EXPECT_TRUE(at::equal(tensor, last.at(name))) << name;
  EXPECT_TRUE(fs::exists(folder.path() / "w.1.safetensors"));
  std::ifstream sheet(folder.path() / "sheet.2.ppm", std::ios::binary);
  std::string header;
  std::getline(sheet, header);
  EXPECT_EQ(header, "P6");
  std::getline(sheet, header);
  EXPECT_EQ(header, "192 192");  // two styles and two photographs of 64 px with themselves at the borders
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
  EXPECT_EQ(file.metadata.at("network"), models::AdaptiveNetwork::network_name);
  EXPECT_EQ(file.metadata.at("seed"), "1");
  set_.save(path);
  EXPECT_THROW(load_weights(path), UsageError);
}

}  // namespace
}  // namespace atelier::training
