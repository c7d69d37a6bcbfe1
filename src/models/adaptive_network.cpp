#include "atelier/models/adaptive_network.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/replication_pad2d.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/var_mean.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "adaptive_architecture.h"
#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "norm.h"
#include "palette.h"

namespace atelier::models {
namespace {

constexpr double norm_epsilon = 1e-2;  // large: flat frames are not to become noise
constexpr double statistics_epsilon = 1e-5;
constexpr std::int64_t min_style_side_px = 64;

const std::string palette = "palette";  // entry of the style: mean (3), matrix (3 x 3, by rows)

/// The convolution alone, borders replicated (works for any size, unlike reflection).
at::Tensor convolve(const TensorMap& parameters, const AdaptiveLayer& layer, const at::Tensor& x) {
  const std::string name = layer.name;
  const auto bias = parameters.find(name + ".bias");
  const int before = (layer.kernel - 1) / 2;  // 1 for kernels of 3, and of 4 with stride 2
  return at::conv2d(at::replication_pad2d(x, {before, before, before, before}),
                    parameters.at(name + ".weight"),
                    bias == parameters.end() ? std::optional<at::Tensor>() : bias->second, layer.stride);
}

/// Instance norm with a scale and a shift for each frame and channel: a batch norm over N x C channels. x may
/// be overwritten where no gradients are wanted.
at::Tensor style_norm(const at::Tensor& x, const at::Tensor& scale_shift) {
  const std::int64_t frames = x.size(0);
  const std::int64_t channels = x.size(1);
  const at::Tensor rows = scale_shift.expand({frames, 2 * channels});
  const at::Tensor scale = rows.slice(1, 0, channels).reshape({-1});
  const at::Tensor shift = rows.slice(1, channels).reshape({-1});
  if (takes_norm_in_place(x)) return instance_norm_in_place(x, scale, shift, norm_epsilon);
  return at::batch_norm(x.reshape({1, frames * channels, x.size(2), x.size(3)}), scale, shift, {}, {}, true,
                        0, norm_epsilon, false)
      .view_as(x);
}

/// Walks through the painter's layers in the order of their table.
class Painter {
 public:
  Painter(const AdaptiveArchitecture& architecture, const TensorMap& parameters, const TensorMap& style)
      : architecture_(architecture), parameters_(parameters), style_(style) {}

  at::Tensor paint(const at::Tensor& content) {
    const at::Tensor half = at::relu(convolve(next(), content));
    const at::Tensor quarter = at::relu(styled(half));
    at::Tensor x = at::relu(styled(quarter));
    if (architecture_.num_residual_sixteenth > 0) {
      const at::Tensor eighth = x;
      x = residuals(at::relu(styled(x)), architecture_.num_residual_sixteenth);
      x = at::relu(styled(twice_as_large(x)) + eighth);
    }
    x = residuals(x, architecture_.num_residual_eighth);
    x = residuals(at::relu(styled(twice_as_large(x)) + quarter), architecture_.num_residual_quarter);
    const AdaptiveLayer& up_half = next();
    x = convolve(up_half, twice_as_large(x)) + convolve(next(), half);
    x = at::pixel_shuffle(convolve(next(), at::relu(norm(up_half, x))), 2);
    x = in_palette(x, style_.at(palette));
    // [1 2 1]/4 both ways: its response at the period of the shuffle, two pixels, is zero.
    return at::avg_pool2d(at::avg_pool2d(at::replication_pad2d(x, {1, 1, 1, 1}), 2, 1), 2, 1);
  }

 private:
  const AdaptiveLayer& next() { return architecture_.painter.at(index_++); }
  at::Tensor convolve(const AdaptiveLayer& layer, const at::Tensor& x) const {
    return atelier::models::convolve(parameters_, layer, x);
  }
  at::Tensor norm(const AdaptiveLayer& layer, const at::Tensor& x) const {
    return style_norm(x, style_.at(layer.name));
  }
  at::Tensor styled(const at::Tensor& x) {
    const AdaptiveLayer& layer = next();
    return norm(layer, convolve(layer, x));
  }
  at::Tensor residual(const at::Tensor& x) {
    const at::Tensor y = at::relu(styled(x));
    return x + styled(y);
  }
  at::Tensor residuals(at::Tensor x, int count) {
    for (int block = 0; block < count; ++block) x = residual(x);
    return x;
  }
  static at::Tensor twice_as_large(const at::Tensor& x) {
    return at::upsample_bilinear2d(x, {2 * x.size(2), 2 * x.size(3)}, false);
  }

  const AdaptiveArchitecture& architecture_;
  const TensorMap& parameters_;
  const TensorMap& style_;
  std::size_t index_ = 0;
};

std::int64_t rounded_up(std::int64_t side, std::int64_t multiple) {
  return (side + multiple - 1) / multiple * multiple;
}

}  // namespace

AdaptiveNetwork::AdaptiveNetwork(TensorMap parameters)
    : architecture_(&architecture_of(parameters)), parameters_(std::move(parameters)) {}

const char* AdaptiveNetwork::network_name() const {
  return architecture_->network_name;
}

TensorMap AdaptiveNetwork::initial_parameters(std::uint64_t seed, Kind kind) {
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  TensorMap result;
  for (const auto& [name, shape] : architecture_named(kind).shapes()) {
    const bool predicts = name.starts_with("style.to.");
    if (shape.size() == 1) {
      result[name] = at::zeros(shape, at::kFloat);
      // Norms begin with scale 1 and shift 0.
      if (predicts) result[name].slice(0, 0, shape[0] / 2).fill_(1);
      continue;
    }
    const double fan_in = static_cast<double>(shape[1] * (shape.size() == 4 ? shape[2] * shape[3] : 1));
    const double gain = predicts ? 0.2 : 1;
    result[name] = at::randn(shape, generator, at::kFloat) * (gain * std::sqrt(2 / fan_in));
  }
  return result;
}

void AdaptiveNetwork::check(const TensorMap& parameters, const std::string& file_name) {
  const auto refuse = [&](const std::string& why) {
    throw UsageError(file_name + " holds no weights of the adaptive network", why,
                     "Give weights made by atelier train.");
  };
  const auto expected = architecture_of(parameters).shapes();
  for (const auto& [name, shape] : expected) {
    const auto found = parameters.find(name);
    if (found == parameters.end()) refuse("tensor " + name + " is missing");
    if (found->second.sizes() != at::IntArrayRef(shape)) refuse("tensor " + name + " has another shape");
    if (!found->second.is_floating_point()) refuse("tensor " + name + " is not of floating point");
  }
  for (const auto& [name, tensor] : parameters)
    if (!expected.contains(name)) refuse("tensor " + name + " is not of this network");
}

TensorMap AdaptiveNetwork::style_statistics(const at::Tensor& styles) const {
  std::vector<at::Tensor> statistics;
  const auto take = [&](const at::Tensor& x) {
    const auto [variance, mean] = at::var_mean(x, at::IntArrayRef{2, 3}, false);
    statistics.push_back(mean);
    statistics.push_back((variance + statistics_epsilon).sqrt());
  };
  const std::int64_t bottom = std::max<std::int64_t>(0, min_style_side_px - styles.size(2));
  const std::int64_t right = std::max<std::int64_t>(0, min_style_side_px - styles.size(3));
  at::Tensor x = bottom + right > 0 ? at::replication_pad2d(styles, {0, right, 0, bottom}) : styles;
  take(x);
  for (std::size_t i = 0; i < architecture_->encoder.size(); ++i) {
    x = at::relu(convolve(parameters_, architecture_->encoder[i], x));
    if (architecture_->has_statistics[i]) take(x);
  }
  const auto linear = [&](const at::Tensor& input, const std::string& name) {
    return at::linear(input, parameters_.at(name + ".weight"), parameters_.at(name + ".bias"));
  };
  const at::Tensor hidden = at::relu(linear(at::cat(statistics, 1), style_hidden_layer));
  TensorMap result{{palette, palette_of(styles)}};
  for (const auto& layer : architecture_->painter)
    if (layer.after == AdaptiveLayer::After::norm)
      result[layer.name] = linear(hidden, style_predictor(layer.name));
  return result;
}

at::Tensor AdaptiveNetwork::stylise(const at::Tensor& content, const TensorMap& style) const {
  TensorMap placed;
  for (const auto& [name, rows] : style) placed[name] = rows.to(content.device(), content.scalar_type());

  const std::int64_t height = content.size(2);
  const std::int64_t width = content.size(3);
  const auto paint = [&](const at::Tensor& frames, const TensorMap& rows) {
    const std::int64_t bottom = rounded_up(height, architecture_->size_multiple()) - height;
    const std::int64_t right = rounded_up(width, architecture_->size_multiple()) - width;
    const at::Tensor x = bottom + right > 0 ? at::replication_pad2d(frames, {0, right, 0, bottom}) : frames;
    return Painter(*architecture_, parameters_, rows).paint(x).slice(2, 0, height).slice(3, 0, width);
  };
  if (content.size(0) == 1 || !content.is_cpu() || at::GradMode::is_enabled()) return paint(content, placed);

  std::vector<at::Tensor> frames;
  for (std::int64_t i = 0; i < content.size(0); ++i) {
    TensorMap rows;
    for (const auto& [name, tensor] : placed)
      rows[name] = tensor.size(0) == 1 ? tensor : tensor.slice(0, i, i + 1);
    frames.push_back(paint(content.slice(0, i, i + 1), rows));
  }
  return at::cat(frames, 0);
}

at::Tensor prepare_style(const at::Tensor& rgb) {
  at::Tensor x = rgb.unsqueeze(0);
  for (const int side : {2, 3}) {
    const std::int64_t longest = 4 * x.size(5 - side);
    if (x.size(side) > longest) x = x.slice(side, (x.size(side) - longest) / 2).slice(side, 0, longest);
  }
  const double ratio = static_cast<double>(AdaptiveNetwork::style_side_px) /
                       static_cast<double>(std::min(x.size(2), x.size(3)));
  const auto scaled = [&](std::int64_t side) { return std::llround(static_cast<double>(side) * ratio); };
  return at::_upsample_bilinear2d_aa(x.contiguous(), {scaled(x.size(2)), scaled(x.size(3))}, false)
      .clamp(0, 1);
}

TensorMap blend_styles(const std::vector<std::pair<TensorMap, double>>& styles) {
  double sum = 0;
  for (const auto& [style, weight] : styles) {
    if (!(weight >= 0)) throw UsageError("a style weight is negative", "", "Give weights of 0 or more.");
    sum += weight;
  }
  if (!(sum > 0) || !std::isfinite(sum))
    throw UsageError("the style weights do not add up", "none is above 0", "Give at least one above 0.");
  TensorMap result;
  for (const auto& [style, weight] : styles) {
    for (const auto& [name, rows] : style) {
      const at::Tensor part = rows * (weight / sum);
      const auto [place, is_new] = result.emplace(name, part);
      if (!is_new) place->second = place->second + part;
    }
  }
  return result;
}

}  // namespace atelier::models
