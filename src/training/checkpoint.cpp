#include "checkpoint.h"

#include <ATen/TensorOperators.h>

#include <cstdlib>
#include <system_error>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/hash.h"
#include "atelier/base/text.h"
#include "atelier/models/safetensors.h"

namespace atelier::training {
namespace {

namespace fs = std::filesystem;

constexpr const char* setting_prefix = "setting.";

std::string hash_of(const std::map<std::string, at::Tensor>& tensors) {
  Hasher hasher;
  for (const auto& [name, tensor] : tensors) {
    hasher.update(std::as_bytes(std::span(name)));
    const at::Tensor whole = tensor.contiguous();
    hasher.update({static_cast<const std::byte*>(whole.const_data_ptr()), whole.nbytes()});
  }
  return std::to_string(hasher.digest());
}

void write_whole(const fs::path& path, std::span<const std::byte> bytes) {
  fs::path part = path;
  part += ".part";
  write_file_once(part, bytes);
  std::error_code failed;
  fs::rename(part, path, failed);
  if (failed) throw JobError(concat("cannot write '", path.string(), "'"), failed.message());
}

}  // namespace

fs::path beside(const fs::path& weights, const std::string& suffix) {
  return weights.parent_path() / (weights.stem().string() + suffix);
}

std::map<std::string, std::string> training_settings(const PictureSet& set, const LossNetwork& loss_network,
                                                     const models::TensorMap& start, const TrainConfig& c) {
  return {{"photographs", hash_of(set.pictures(PictureSet::Kind::photo))},
          {"styles", hash_of(set.pictures(PictureSet::Kind::style))},
          {"loss network", loss_network.name()},
          {"start", hash_of(start)},
          {"--iterations", std::to_string(c.num_iterations)},
          {"--size", std::to_string(c.size_px)},
          {"--late-size", std::to_string(c.late_size_px)},
          {"--late-share", fixed(c.late_share, 4)},
          {"--batch", std::to_string(c.batch)},
          {"--seed", std::to_string(c.seed)},
          {"--learning-rate", fixed(c.learning_rate, 8)},
          {"--style-weight", fixed(c.style_weight, 4)},
          {"--variation-weight", fixed(c.variation_weight, 4)},
          {"--identity-weight", fixed(c.identity_weight, 4)},
          {"--stability-weight", fixed(c.stability_weight, 4)},
          {"--stability-every", std::to_string(c.stability_every)},
          {"--held-aside", fixed(c.held_aside_share, 4)}};
}

Checkpoint::Checkpoint(const TrainConfig& config, std::map<std::string, std::string> settings)
    : output_(config.output),
      path_(beside(config.output, ".state.safetensors")),
      resume_(config.resume),
      settings_(std::move(settings)) {}

std::unique_ptr<Adam> Checkpoint::load(TrainState& state) const {
  std::error_code failed;
  if (output_.empty() || !resume_ || !fs::exists(path_, failed)) return nullptr;
  auto file = models::parse_safetensors(read_file(path_).bytes(), path_.string());
  for (const auto& [name, value] : settings_) {
    const auto found = file.metadata.find(setting_prefix + name);
    if (found == file.metadata.end() || found->second != value)
      throw UsageError(concat("cannot resume from ", path_.string()),
                       concat("it was made with ", name, " ",
                              found == file.metadata.end() ? "none" : found->second, ", not ", value),
                       "Give the same options, or another --output");
  }
  const auto number = [&](const char* name) { return std::strtod(file.metadata[name].c_str(), nullptr); };
  state.num_iterations = static_cast<int>(number("iterations"));
  state.seconds_s = number("seconds");
  state.best_aside = number("best_aside");
  state.best_at_s = number("best_at");
  return std::make_unique<Adam>(file.tensors, path_.string());
}

void Checkpoint::save(const Adam& adam, const TrainState& state, const std::string& network_name) const {
  if (output_.empty()) return;
  models::TensorFile weights;
  weights.tensors = adam.averaged();
  weights.metadata = {{"network", network_name}, {"iterations", std::to_string(state.num_iterations)}};
  write_whole(output_, models::write_safetensors(weights).bytes());
  models::TensorFile file;
  file.tensors = adam.state();
  file.metadata = {{"kind", "atelier-training-1"},
                   {"iterations", std::to_string(state.num_iterations)},
                   {"seconds", fixed(state.seconds_s, 3)},
                   {"best_aside", fixed(state.best_aside, 6)},
                   {"best_at", fixed(state.best_at_s, 3)}};
  for (const auto& [name, value] : settings_) file.metadata[setting_prefix + name] = value;
  write_whole(path_, models::write_safetensors(file).bytes());
}

}  // namespace atelier::training
