#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "atelier/models/adaptive_network.h"
#include "atelier/training/loss_network.h"
#include "atelier/training/picture_set.h"

namespace atelier::training {

/// How to train. Weights of losses are relative to the content loss.
struct TrainConfig {
  int num_iterations = 4000;
  double max_minutes =
      0;              ///< 0: no limit; else the learning rate falls in time for the end, whichever is first
  int size_px = 128;  ///< side of the square crops, a multiple of 8, >= 32
  int batch = 4;
  std::uint64_t seed = 1;
  int num_threads = 1;
  double learning_rate = 1e-3;
  double style_weight = 15;
  double variation_weight = 0.05;
  double range_weight = 1;
  double stability_weight =
      0;  ///< of the same painting for a frame that moved or has other noise; size_px >= 96
  double share_of_own_style = 0.05;  ///< of pairs whose style is the photograph itself
  int log_every = 20;
  int checkpoint_every = 0;             ///< iterations; 0: never
  std::filesystem::path checkpoint;     ///< its name gets the iteration
  std::filesystem::path sample_folder;  ///< gets a contact sheet (PPM) with each checkpoint; empty: none
};

/// Means over the last log_every iterations.
struct TrainReport {
  int num_iterations = 0;
  double content = 0;
  double style = 0;
  double variation = 0;
  double out_of_range = 0;
  double instability = 0;  ///< 0 where stability_weight is 0
  double seconds_s = 0;    ///< of the whole training
};

struct Trained {
  models::TensorMap parameters;
  TrainReport report;
};

/// Trains with Adam: 100 iterations of warm-up (a tenth of the whole if that is less), linear fall over the
/// last 40 %, gradient norm clipped at 1. Same set, start, config and number of threads on one kind of CPU:
/// the same weights, unless max_minutes ended it. Logs a line each log_every iterations. Throws UsageError if
/// the set lacks photographs or styles or the config is out of range.
Trained train(const PictureSet& set, const LossNetwork& loss_network, const models::TensorMap& start,
              const TrainConfig& config);

/// Writes a weights file: float32, with metadata "network" and what else is given. Throws JobError.
void save_weights(const std::filesystem::path& path, const models::TensorMap& parameters,
                  std::map<std::string, std::string> metadata);

/// Weights to go on from. Throws UsageError for a file that is not of the adaptive network.
models::TensorMap load_weights(const std::filesystem::path& path);

}  // namespace atelier::training
