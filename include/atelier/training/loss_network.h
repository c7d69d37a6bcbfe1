#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "atelier/models/safetensors.h"

namespace atelier::training {

/// The first layers of an image classifier, as a measure of pictures (Gatys et al., CVPR 2016). Two families
/// are known by the names of their tensors:
///
/// SqueezeNet 1.1 (arXiv 1602.07360): conv1.weight … fire5.expand3x3.bias; input BGR, 0..255, less its mean.
/// Its first convolution runs at stride 1 instead of 2: style losses are then free of speckle.
///
/// VGG (arXiv 1409.1556), 16 or 19 layers, as far as the file goes: features.N.weight and .bias by
/// torchvision's numbers, so that a step of 3 between two numbers tells of a max pool between them. Input by
/// the metadata entry "input": "BGR 0..255 …" is Caffe's (less its mean), none is torchvision's (RGB in
/// [0,1], mean and deviation of ImageNet); a tensor conv0.weight (1x1) tells of the form of WCT (arXiv
/// 1705.08086): it takes RGB in [0,1] and pads by reflection instead of zeros.
class LossNetwork {
 public:
  /// Tensors of any floating type; others than the first layers' are ignored. Throws UsageError that names
  /// the file for weights of another network or with a layer missing.
  LossNetwork(const models::TensorFile& file, const std::string& file_name);

  /// The same from safetensors files; the layers of one network may be spread over several.
  static LossNetwork load(const std::vector<std::filesystem::path>& paths);

  /// rgb: N x 3 x H x W, float32, nominal [0,1], H and W >= 16. Returns the features of layers(): N x C x h x
  /// w each. Keeps gradients of rgb.
  [[nodiscard]] std::vector<at::Tensor> features(const at::Tensor& rgb) const;

  /// The layers that style is taken of, shallow to deep. SqueezeNet: conv1, fire2 … fire5. VGG: the first of
  /// each block and the deepest, as relu3_1.
  [[nodiscard]] const std::vector<std::string>& layers() const { return layers_; }
  /// Content is taken of the layers from this one on. SqueezeNet: fire4 and fire5. VGG: the deepest.
  [[nodiscard]] std::size_t first_content_layer() const { return first_content_layer_; }
  /// "SqueezeNet 1.1", "VGG to relu4_1".
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct Step {
    enum class Kind { convolution, fire, max_pool };
    Kind kind;
    std::string tensor;  ///< of convolution and fire: what the names of its tensors begin with
    int size = 0;        ///< kernel; a pool moves on by 2
    int padding = 0;
    bool has_relu = true;
    bool is_feature = false;
  };
  using Shape = std::vector<std::int64_t>;

  void add_squeezenet();
  void add_vgg(const models::TensorFile& file);
  void add_convolution(const std::string& tensor, const Shape& shape, int padding);
  void add_fire(const std::string& tensor, std::int64_t in, std::int64_t squeezed, std::int64_t half);
  void add_pool(int size);
  void mark(const std::string& layer);
  void take(const models::TensorFile& file, const std::string& file_name);
  [[nodiscard]] at::Tensor run(const Step& step, const at::Tensor& x) const;
  [[nodiscard]] at::Tensor convolve(const at::Tensor& x, const std::string& tensor, int padding) const;

  std::string name_;
  std::vector<Step> steps_;
  std::map<std::string, Shape> shapes_;
  std::map<std::string, at::Tensor> tensors_;
  std::vector<std::string> layers_;
  std::size_t first_content_layer_ = 0;
  bool reflects_ = false;  ///< pads by reflection
  bool is_bgr_ = true;
  double range_ = 255;
  at::Tensor mean_;       ///< 1 x 3 x 1 x 1
  at::Tensor deviation_;  ///< the same; undefined: 1
};

}  // namespace atelier::training
