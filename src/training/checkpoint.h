#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "adam.h"
#include "atelier/training/trainer.h"

namespace atelier::training {

/// Where a training stands.
struct TrainState {
  int num_iterations = 0;
  double seconds_s = 0;
  double best_aside = 0;  ///< lowest total loss of what is held aside; 0: not judged yet
  double best_at_s = 0;   ///< when that was
};

/// A training in one file beside its output: what Adam keeps, where it stands, and the settings that it
/// belongs to.
class Checkpoint {
 public:
  /// settings: name and value of all that changes the weights.
  Checkpoint(const TrainConfig& config, std::map<std::string, std::string> settings);

  /// Null if there is none to go on from. Throws UsageError if it is of other settings.
  std::unique_ptr<Adam> load(TrainState& state) const;
  /// Weights, then the state; each whole or as it was before. Throws JobError.
  void save(const Adam& adam, const TrainState& state, const std::string& network_name) const;

 private:
  std::filesystem::path output_;
  std::filesystem::path path_;
  bool resume_;
  std::map<std::string, std::string> settings_;
};

/// All that changes the weights of a training with these.
std::map<std::string, std::string> training_settings(const PictureSet& set, const LossNetwork& loss_network,
                                                     const models::TensorMap& start,
                                                     const TrainConfig& config);

/// NAME.suffix beside a weights file NAME.safetensors.
std::filesystem::path beside(const std::filesystem::path& weights, const std::string& suffix);

}  // namespace atelier::training
