#include "adam.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::training {
namespace {

constexpr double max_gradient_norm = 1;
constexpr double decay_first = 0.9;
constexpr double decay_second = 0.999;
constexpr double decay_average = 0.999;

constexpr const char* count_name = "count";
constexpr const char* prefixes[] = {"parameter/", "first/", "second/", "average/"};

at::Tensor wanting_gradients(const at::Tensor& value) {
  at::Tensor parameter = value.detach().to(at::kFloat).clone();
  parameter.requires_grad_(true);
  return parameter;
}

}  // namespace

Adam::Adam(const models::TensorMap& start) {
  for (const auto& [name, value] : start) {
    parameters_[name] = wanting_gradients(value);
    slots_[name] = {at::zeros_like(value, at::kFloat), at::zeros_like(value, at::kFloat),
                    value.detach().to(at::kFloat).clone()};
  }
}

Adam::Adam(const models::TensorMap& state, const std::string& file_name) {
  const auto take = [&](const std::string& name) {
    const auto found = state.find(name);
    if (found == state.end() || found->second.scalar_type() != at::kFloat)
      throw UsageError(concat("cannot resume from ", file_name), concat("tensor ", name, " is missing"),
                       "Remove it to begin anew");
    return found->second;
  };
  const std::string parameter_prefix = prefixes[0];
  for (const auto& [key, value] : state) {
    if (!key.starts_with(parameter_prefix)) continue;
    const std::string name = key.substr(parameter_prefix.size());
    parameters_[name] = wanting_gradients(take(key));
    slots_[name] = {take(prefixes[1] + name).clone(), take(prefixes[2] + name).clone(),
                    take(prefixes[3] + name).clone()};
  }
  count_ = take(count_name).item<float>();
}

void Adam::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  ++count_;
  double squares = 0;
  for (const auto& [name, parameter] : parameters_) squares += parameter.grad().square().sum().item<double>();
  const double norm = std::sqrt(squares);
  const double scale = norm > max_gradient_norm ? max_gradient_norm / norm : 1;
  const double correction =
      std::sqrt(1 - std::pow(decay_second, count_)) / (1 - std::pow(decay_first, count_));
  const double keep = std::min(decay_average, (1 + count_) / (10 + count_));
  for (auto& [name, parameter] : parameters_) {
    Slot& slot = slots_.at(name);
    const at::Tensor gradient = parameter.grad() * scale;
    slot.first.mul_(decay_first).add_(gradient, 1 - decay_first);
    slot.second.mul_(decay_second).addcmul_(gradient, gradient, 1 - decay_second);
    parameter.addcdiv_(slot.first, slot.second.sqrt().add_(1e-8), -learning_rate * correction);
    parameter.mutable_grad() = at::Tensor();
    slot.average.mul_(keep).add_(parameter, 1 - keep);
  }
}

models::TensorMap Adam::averaged() const {
  models::TensorMap result;
  for (const auto& [name, slot] : slots_) result[name] = slot.average.clone();
  return result;
}

models::TensorMap Adam::state() const {
  models::TensorMap result{{count_name, at::full({1}, count_, at::kFloat)}};
  for (const auto& [name, parameter] : parameters_) {
    const Slot& slot = slots_.at(name);
    result[prefixes[0] + name] = parameter.detach();
    result[prefixes[1] + name] = slot.first;
    result[prefixes[2] + name] = slot.second;
    result[prefixes[3] + name] = slot.average;
  }
  return result;
}

}  // namespace atelier::training
