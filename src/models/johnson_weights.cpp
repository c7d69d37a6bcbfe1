#include "johnson_weights.h"

#include <set>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::models {
namespace {

// Takes tensors out of a file by name and shape, and remembers which were taken.
class Reader {
 public:
  Reader(const TensorFile& file, std::string name) : file_(file), name_(std::move(name)) {}

  [[nodiscard]] bool has(const std::string& tensor) const { return file_.tensors.contains(tensor); }

  ConvolutionWeights convolution(const std::string& prefix, std::int64_t in, std::int64_t out,
                                 std::int64_t kernel) {
    return {take(prefix + ".weight", {out, in, kernel, kernel}), take(prefix + ".bias", {out})};
  }
  NormWeights norm(const std::string& prefix, std::int64_t channels) {
    return {take(prefix + ".weight", {channels}), take(prefix + ".bias", {channels})};
  }
  void check_nothing_left() const {
    for (const auto& [tensor, value] : file_.tensors) {
      const bool running = tensor.ends_with(".running_mean") || tensor.ends_with(".running_var") ||
                           tensor.ends_with(".num_batches_tracked");
      if (!running && !taken_.contains(tensor)) refuse(concat("tensor ", tensor, " is none of its own"));
    }
  }
  [[noreturn]] void refuse(const std::string& why) const {
    throw UsageError(name_ + " holds no weights of the feedforward network", why,
                     "Give a safetensors file of a fast_neural_style network.");
  }

 private:
  at::Tensor take(const std::string& tensor, const std::vector<std::int64_t>& shape) {
    const auto found = file_.tensors.find(tensor);
    if (found == file_.tensors.end()) refuse(concat("tensor ", tensor, " is missing"));
    if (found->second.sizes() != at::IntArrayRef(shape))
      refuse(concat("tensor ", tensor, " has another shape"));
    if (!found->second.is_floating_point()) refuse(concat("tensor ", tensor, " is not of floating point"));
    taken_.insert(tensor);
    return found->second.to(at::kFloat);
  }

  const TensorFile& file_;
  std::string name_;
  std::set<std::string> taken_;
};

struct Names {
  std::array<const char*, 3> down, down_norms;
  std::array<const char*, 3> up;
  std::array<const char*, 2> up_norms;
  const char* residual;  // followed by a number
  int first_residual;
  const char* residual_conv;  // followed by 1 or 2
  const char* residual_norm;
  const char* convolution;  // behind every convolution's name
};
constexpr Names examples_names{{"conv1", "conv2", "conv3"},
                               {"in1", "in2", "in3"},
                               {"deconv1", "deconv2", "deconv3"},
                               {"in4", "in5"},
                               "res",
                               1,
                               ".conv",
                               ".in",
                               ".conv2d"};
constexpr Names short_names{
    {"c1", "c2", "c3"}, {"n1", "n2", "n3"}, {"c4", "c5", "c6"}, {"n4", "n5"}, "res.", 0, ".c", ".n", ".conv"};

}  // namespace

JohnsonWeights johnson_weights(const TensorFile& file, const std::string& name) {
  Reader reader(file, name);
  const Names& names = reader.has("c1.conv.weight") ? short_names : examples_names;
  constexpr std::array<std::int64_t, 4> channels{3, 32, 64, 128};
  JohnsonWeights weights;
  for (std::size_t i = 0; i < 3; ++i) {
    const bool outermost = i == 0;
    weights.down[i] = reader.convolution(concat(names.down[i], names.convolution), channels[i],
                                         channels[i + 1], outermost ? 9 : 3);
    weights.down_norms[i] = reader.norm(names.down_norms[i], channels[i + 1]);
  }
  for (std::size_t i = 0; i < weights.residuals.size(); ++i) {
    const std::string block = concat(names.residual, static_cast<int>(i) + names.first_residual);
    ResidualWeights& residual = weights.residuals[i];
    residual.conv1 =
        reader.convolution(concat(block, names.residual_conv, 1, names.convolution), 128, 128, 3);
    residual.norm1 = reader.norm(concat(block, names.residual_norm, 1), 128);
    residual.conv2 =
        reader.convolution(concat(block, names.residual_conv, 2, names.convolution), 128, 128, 3);
    residual.norm2 = reader.norm(concat(block, names.residual_norm, 2), 128);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const bool outermost = i == 2;
    weights.up[i] = reader.convolution(concat(names.up[i], names.convolution), channels[3 - i],
                                       channels[2 - i], outermost ? 9 : 3);
    if (!outermost) weights.up_norms[i] = reader.norm(names.up_norms[i], channels[2 - i]);
  }
  reader.check_nothing_left();
  return weights;
}

}  // namespace atelier::models
