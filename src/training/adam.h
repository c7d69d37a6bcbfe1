#pragma once

#include <string>

#include "atelier/models/adaptive_network.h"

namespace atelier::training {

/// Adam (arXiv 1412.6980) over the parameters of one network, with gradients clipped together at norm 1, and
/// a moving average of the parameters (Polyak and Juditsky 1992), which is what is worth keeping at any time.
class Adam {
 public:
  /// float32, on the CPU.
  explicit Adam(const models::TensorMap& start);
  /// As state() gave it. Throws UsageError that names the file if a tensor is missing.
  Adam(const models::TensorMap& state, const std::string& file_name);

  /// One step along the gradients of parameters(), which are cleared.
  void step(double learning_rate);

  /// They want gradients.
  [[nodiscard]] const models::TensorMap& parameters() const { return parameters_; }
  /// Moving average over the last thousand steps or so; without gradients.
  [[nodiscard]] models::TensorMap averaged() const;
  /// Parameters, moments and averages, by name, and the number of steps.
  [[nodiscard]] models::TensorMap state() const;

 private:
  struct Slot {
    at::Tensor first;  ///< moments
    at::Tensor second;
    at::Tensor average;
  };
  models::TensorMap parameters_;
  std::map<std::string, Slot> slots_;
  double count_ = 0;
};

}  // namespace atelier::training
