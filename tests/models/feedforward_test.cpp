#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/models/safetensors.h"
#include "atelier/models/style_engine.h"

namespace atelier::models {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

// The names of pytorch/examples fast_neural_style, random weights whose result spans the usual range.
Tensors random_weights() {
  at::manual_seed(3);
  Tensors tensors;
  const auto conv = [&](const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel) {
    const double gain = 1 / std::sqrt(static_cast<double>(in * kernel * kernel));
    tensors[name + ".conv2d.weight"] = at::randn({out, in, kernel, kernel}) * gain;
    tensors[name + ".conv2d.bias"] = at::randn({out});
  };
  const auto norm = [&](const std::string& name, std::int64_t channels) {
    tensors[name + ".weight"] = at::rand({channels}) + 0.5;
    tensors[name + ".bias"] = at::randn({channels}) * 0.3;
    tensors[name + ".running_mean"] = at::zeros({channels});
    tensors[name + ".running_var"] = at::ones({channels});
  };
  const std::int64_t channels[] = {3, 32, 64, 128};
  for (int i = 1; i <= 3; ++i) {
    conv(concat("conv", i), channels[i - 1], channels[i], i == 1 ? 9 : 3);
    norm(concat("in", i), channels[i]);
    conv(concat("deconv", i), channels[4 - i], channels[3 - i], i == 3 ? 9 : 3);
    if (i < 3) norm(concat("in", i + 3), channels[3 - i]);
  }
  for (int i = 1; i <= 5; ++i) {
    for (int k = 1; k <= 2; ++k) {
      conv(concat("res", i, ".conv", k), 128, 128, 3);
      norm(concat("res", i, ".in", k), 128);
    }
  }
  tensors["deconv3.conv2d.weight"] *= 40;
  tensors["deconv3.conv2d.bias"].fill_(128);
  return tensors;
}

EngineSpec spec_of(const Tensors& tensors, double strength = 1) {
  TensorFile file;
  file.tensors = tensors;
  return make_engine_spec("feedforward", write_safetensors(file), "w.safetensors", {}, strength,
                          tensor::Precision::fp32);
}

// The network as its paper and pytorch/examples have it, in plain operations and double precision. Sides are
// multiples of 4 from 8 on.
at::Tensor plain_network(const Tensors& given, const at::Tensor& rgb) {
  Tensors t;
  for (const auto& [name, tensor] : given) t[name] = tensor.to(at::kDouble);
  const auto conv = [&](const std::string& name, const at::Tensor& x, std::int64_t stride = 1) {
    const at::Tensor& weight = t.at(name + ".conv2d.weight");
    const std::int64_t pad = weight.size(2) / 2;
    return at::conv2d(at::reflection_pad2d(x, {pad, pad, pad, pad}), weight, t.at(name + ".conv2d.bias"),
                      stride);
  };
  const auto norm = [&](const std::string& name, const at::Tensor& x) {
    return at::instance_norm(x, t.at(name + ".weight"), t.at(name + ".bias"), {}, {}, true, 0, 1e-5, false);
  };
  at::Tensor x = rgb.to(at::kDouble) * 255;
  for (int i = 1; i <= 3; ++i)
    x = at::relu(norm(concat("in", i), conv(concat("conv", i), x, i == 1 ? 1 : 2)));
  for (int i = 1; i <= 5; ++i) {
    const std::string block = concat("res", i);
    const at::Tensor y = at::relu(norm(block + ".in1", conv(block + ".conv1", x)));
    x = x + norm(block + ".in2", conv(block + ".conv2", y));
  }
  for (int i = 1; i <= 2; ++i) {
    x = at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
    x = at::relu(norm(concat("in", i + 3), conv(concat("deconv", i), x)));
  }
  return (conv("deconv3", x) / 255).to(at::kFloat);
}

class Feedforward : public testing::Test {
 protected:
  static void SetUpTestSuite() { weights_ = new Tensors(random_weights()); }
  static void TearDownTestSuite() { delete weights_; }
  static const Tensors& weights() { return *weights_; }

 private:
  inline static Tensors* weights_ = nullptr;
  c10::InferenceMode inference_;
};

// Tolerance: a fifth of an 8-bit code value at most, a hundredth of one on average (fp32, and Winograd's
// algorithm in the residual blocks, against double).
void expect_near(const at::Tensor& ours, const at::Tensor& plain) {
  const at::Tensor error = (ours - plain).abs() * 255;
  EXPECT_LT(error.max().item<double>(), 0.2) << ours.sizes();
  EXPECT_LT(error.mean().item<double>(), 0.01) << ours.sizes();
  EXPECT_GT(plain.std().item<double>(), 0.05);  // there is something to compare
}

TEST_F(Feedforward, IsThePlainNetwork) {
  prepare_compute_thread();
  const auto engine = make_engine(spec_of(weights()), {});
  for (const auto& [height, width] : {std::pair{64, 96}, {72, 88}, {8, 8}, {12, 40}, {100, 36}}) {
    const at::Tensor frame = at::rand({1, 3, height, width});
    expect_near(engine->stylise(frame), plain_network(weights(), frame));
  }
}

TEST_F(Feedforward, GrowsOddSizesByReflection) {
  const auto engine = make_engine(spec_of(weights()), {});
  const at::Tensor frame = at::rand({1, 3, 37, 50});
  const at::Tensor grown = at::reflection_pad2d(frame, {0, 2, 0, 3});
  expect_near(engine->stylise(frame), plain_network(weights(), grown).narrow(2, 0, 37).narrow(3, 0, 50));
}

TEST_F(Feedforward, TakesTheSmallestPictures) {
  const auto engine = make_engine(spec_of(weights()), {});
  for (int height = 1; height <= 6; ++height) {
    for (int width = 1; width <= 6; ++width) {
      const at::Tensor frame = at::rand({1, 3, height, width});
      const at::Tensor styled = engine->stylise(frame);
      EXPECT_EQ(styled.sizes(), frame.sizes());
      EXPECT_TRUE(styled.isfinite().all().item<bool>());
    }
  }
}

TEST_F(Feedforward, BitsDependOnNeitherBatchNorThread) {
  const EngineSpec spec = spec_of(weights());
  const at::Tensor frames = at::rand({3, 3, 45, 70});
  std::vector<at::Tensor> alone(2);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < alone.size(); ++t) {
    threads.emplace_back([&, t] {
      const c10::InferenceMode inference;
      prepare_compute_thread();
      const auto engine = make_engine(spec, {});
      std::vector<at::Tensor> styled;
      for (int n = 0; n < 3; ++n) styled.push_back(engine->stylise(frames.narrow(0, n, 1)).clone());
      alone[t] = at::cat(styled, 0);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(at::equal(alone[0], alone[1]));
  const auto engine = make_engine(spec, {});
  EXPECT_TRUE(at::equal(engine->stylise(frames), alone[0]));
  EXPECT_TRUE(at::equal(engine->stylise(frames.narrow(0, 1, 2)), alone[0].narrow(0, 1, 2)));
}

TEST_F(Feedforward, MixesByStrength) {
  const at::Tensor frame = at::rand({1, 3, 24, 20});
  EXPECT_TRUE(at::equal(make_engine(spec_of(weights(), 0), {})->stylise(frame), frame));
  const at::Tensor full = make_engine(spec_of(weights(), 1), {})->stylise(frame);
  const at::Tensor half = make_engine(spec_of(weights(), 0.25), {})->stylise(frame);
  // Tolerance: rounding of one sum.
  EXPECT_LT((half - (0.75 * frame + 0.25 * full)).abs().max().item<double>(), 1e-6);
}

TEST_F(Feedforward, ReadsTheShortNames) {
  Tensors renamed;
  for (const auto& [name, tensor] : weights()) {
    if (name.ends_with("running_mean") || name.ends_with("running_var")) continue;
    std::string text = name;
    const auto replace = [&](const std::string& from, const std::string& to) {
      if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
    };
    replace(".conv2d", ".conv");
    if (text.starts_with("res")) {
      const int block = text[3] - '1';
      text = concat("res.", block, text.substr(4));
      replace(".conv1.", ".c1.");
      replace(".conv2.", ".c2.");
      replace(".in", ".n");
    } else if (text.starts_with("deconv")) {
      text = concat("c", text[6] - '0' + 3, text.substr(7));
    } else if (text.starts_with("conv")) {
      text = "c" + text.substr(4);
    } else {
      replace("in", "n");
    }
    renamed[text] = tensor;
  }
  const at::Tensor frame = at::rand({1, 3, 16, 16});
  EXPECT_TRUE(at::equal(make_engine(spec_of(renamed), {})->stylise(frame),
                        make_engine(spec_of(weights()), {})->stylise(frame)));
}

TEST_F(Feedforward, RefusesOtherNetworks) {
  const auto expect_refusal = [&](const Tensors& tensors, const std::string& why) {
    try {
      spec_of(tensors);
      ADD_FAILURE() << "accepted: " << why;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("w.safetensors"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
    }
  };
  Tensors other = weights();
  other.erase("res3.conv2.conv2d.weight");
  expect_refusal(other, "res3.conv2.conv2d.weight is missing");
  other = weights();
  other["in1.weight"] = at::ones({16});
  expect_refusal(other, "in1.weight has another shape");
  other = weights();
  other["attention.weight"] = at::ones({16});
  expect_refusal(other, "attention.weight");
  other = weights();
  other["in1.weight"] = at::ones({32}, at::kInt);
  expect_refusal(other, "in1.weight is not of floating point");
  expect_refusal({}, "is missing");
}

TEST_F(Feedforward, HalfPrecisionIsForGpus) {
  EngineSpec spec = spec_of(weights());
  spec.precision = tensor::Precision::bf16;
  EXPECT_THROW(make_engine(spec, {}), UsageError);
}

TEST_F(Feedforward, ReadsThePeersWeights) {
  const std::filesystem::path path =
      std::filesystem::path(ATELIER_SHARED_DIR) / "recipes/peers/johnson_seed0.safetensors";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared folder";
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const EngineSpec spec = make_engine_spec("feedforward", Buffer(std::as_bytes(std::span(bytes))),
                                           path.string(), {}, 1, tensor::Precision::fp32);
  const at::Tensor styled = make_engine(spec, {})->stylise(at::rand({1, 3, 64, 64}));
  EXPECT_NEAR(styled.mean().item<double>(), 0.5, 0.2);  // its last bias is 128 of 255
}

}  // namespace
}  // namespace atelier::models
