#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/instance_norm.h>
#include <ATen/ops/reflection_pad2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <c10/core/InferenceMode.h>

#include "engines.h"
#include "johnson_painter.h"
#include "johnson_weights.h"
#include "reflect.h"

namespace atelier::models {
namespace {

at::Tensor convolve(const at::Tensor& x, const ConvolutionWeights& weights, std::int64_t stride = 1) {
  const std::int64_t pad = weights.weight.size(2) / 2;
  return at::conv2d(at::reflection_pad2d(x, {pad, pad, pad, pad}), weights.weight, weights.bias, stride);
}

at::Tensor normalise(const at::Tensor& x, const NormWeights& weights) {
  return at::instance_norm(x.to(at::kFloat), weights.scale, weights.shift, {}, {}, true, 0, 1e-5, false)
      .to(x.scalar_type());
}

class FeedforwardEngine final : public StyleEngine {
 public:
  FeedforwardEngine(const EngineSpec& spec, tensor::Device device)
      : weights_(johnson_weights(parse_safetensors(spec.weights.bytes(), "weights"), "weights")),
        strength_(spec.strength),
        type_(torch_type(spec.precision)) {
    const auto place_convolution = [&](ConvolutionWeights& conv) {
      conv.weight = conv.weight.to(torch_device(device), type_);
      conv.bias = conv.bias.to(torch_device(device), type_);
    };
    const auto place_norm = [&](NormWeights& norm) {
      norm.scale = norm.scale.to(torch_device(device));
      norm.shift = norm.shift.to(torch_device(device));
    };
    weights_.down[0].weight *= 255;
    weights_.up[2].weight /= 255;
    weights_.up[2].bias /= 255;
    for (auto& conv : weights_.down) place_convolution(conv);
    for (auto& norm : weights_.down_norms) place_norm(norm);
    for (auto& block : weights_.residuals) {
      place_convolution(block.conv1);
      place_norm(block.norm1);
      place_convolution(block.conv2);
      place_norm(block.norm2);
    }
    for (auto& conv : weights_.up) place_convolution(conv);
    for (auto& norm : weights_.up_norms) place_norm(norm);
  }

  at::Tensor stylise(const at::Tensor& frames) override {
    const c10::InferenceMode inference;
    if (strength_ == 0) return frames;
    std::vector<at::Tensor> painted;  // one by one: the bits do not depend on their number
    for (std::int64_t n = 0; n < frames.size(0); ++n) {
      const at::Tensor frame = frames.narrow(0, n, 1);
      painted.push_back(frame.is_cpu() ? paint_on_cpu(frame) : paint_padded(frame));
    }
    return mix(frames, painted.size() == 1 ? painted.front() : at::cat(painted, 0), strength_);
  }

 private:
  [[nodiscard]] at::Tensor paint_on_cpu(const at::Tensor& frame) {
    if (!painter_ || painter_height_ != frame.size(2) || painter_width_ != frame.size(3)) {
      painter_height_ = frame.size(2);
      painter_width_ = frame.size(3);
      painter_.reset();  // its buffers go before the new ones come
      painter_ = std::make_unique<JohnsonPainter>(weights_, painter_height_, painter_width_);
    }
    return painter_->paint(frame);
  }
  [[nodiscard]] at::Tensor paint_padded(const at::Tensor& frame) const {
    const at::Tensor painted = paint(reflect_to_multiple(frame, 4, 8).to(type_)).to(at::kFloat);
    return painted.narrow(2, 0, frame.size(2)).narrow(3, 0, frame.size(3));
  }
  [[nodiscard]] at::Tensor paint(const at::Tensor& frame) const {
    at::Tensor x = frame;
    for (std::size_t i = 0; i < 3; ++i) {
      x = at::relu(normalise(convolve(x, weights_.down[i], i == 0 ? 1 : 2), weights_.down_norms[i]));
    }
    for (const auto& block : weights_.residuals) {
      const at::Tensor y = at::relu(normalise(convolve(x, block.conv1), block.norm1));
      x = x + normalise(convolve(y, block.conv2), block.norm2);
    }
    for (std::size_t i = 0; i < 2; ++i) {
      x = at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
      x = at::relu(normalise(convolve(x, weights_.up[i]), weights_.up_norms[i]));
    }
    return convolve(x, weights_.up[2]);
  }

  JohnsonWeights weights_;
  double strength_;
  at::ScalarType type_;
  std::unique_ptr<JohnsonPainter> painter_;  // for the size of the last frames
  std::int64_t painter_height_ = 0;
  std::int64_t painter_width_ = 0;
};

}  // namespace

void check_feedforward(const EngineSpec& spec, const std::string& weights_name) {
  johnson_weights(parse_safetensors(spec.weights.bytes(), weights_name), weights_name);
}

std::unique_ptr<StyleEngine> make_feedforward_engine(const EngineSpec& spec, tensor::Device device) {
  return std::make_unique<FeedforwardEngine>(spec, device);
}

}  // namespace atelier::models
