#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
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
  int size_px = 128;  ///< side of the square crops, a multiple of 16, >= 32
  int late_size_px = 0;  ///< the same for the last late_share of the training; 0: as before
  double late_share = 0.2;
  int batch = 4;
  std::uint64_t seed = 1;
  int num_threads = 1;
  double learning_rate = 1e-3;
  double style_weight = 15;
  double variation_weight = 0.05;
  double range_weight = 1;
  double identity_weight = 1;   ///< of the mean squared difference where the style is the photograph itself
  double stability_weight = 0;  ///< of the same painting for the next frame of a video; crops >= 96
  int stability_every = 4;      ///< iterations
  double share_of_own_style = 0.05;  ///< of pairs whose style is the photograph itself
  int num_style_variants = 6;        ///< crops of each style picture
  double held_aside_share = 0;       ///< of photographs and styles, to judge by at each checkpoint
  double patience_minutes = 0;       ///< end when those have shown no gain for so long; 0: never
  int log_every = 20;
  int checkpoint_every = 0;      ///< iterations; 0: at the end only
  std::filesystem::path output;  ///< weights; beside it lie NAME.state.safetensors and NAME.csv. Empty: none
  std::filesystem::path sample_folder;  ///< gets a contact sheet (PPM) with each checkpoint; empty: none
  bool resume = false;                  ///< go on from the state beside output, if it is there
  std::function<bool()> interrupted = [] { return false; };  ///< asked after each iteration
};

/// Means over the last log_every iterations.
struct TrainReport {
  int num_iterations = 0;
  double content = 0;
  double style = 0;
  double variation = 0;
  double out_of_range = 0;
  double identity = 0;     ///< over iterations in which a photograph was its own style
  double instability = 0;  ///< over iterations that looked at the next frame
  double seconds_s = 0;    ///< of the whole training, all starts together
};

struct Trained {
  models::TensorMap parameters;  ///< moving average over the last thousand iterations or so
  TrainReport report;
  bool was_interrupted = false;
};

/// Trains with Adam: 100 iterations of warm-up (a tenth of the whole if that is less), linear fall over the
/// last 40 %, gradient norm clipped at 1. Same set, start, config and number of threads on one kind of CPU:
/// the same weights, also where it was interrupted and resumed, unless a limit of minutes ended it. Logs a
/// line each log_every iterations and writes it to the CSV; a checkpoint is the weights and the state to
/// resume from, each whole or not there. Throws UsageError if the set lacks photographs or styles, the config
/// is out of range, or the state is of another training; JobError if a file cannot be written.
Trained train(const PictureSet& set, const LossNetwork& loss_network, const models::TensorMap& start,
              const TrainConfig& config);

/// Writes a weights file: with metadata "network" and what else is given, in float32 or half precision.
/// Throws JobError.
void save_weights(const std::filesystem::path& path, const models::TensorMap& parameters,
                  std::map<std::string, std::string> metadata, at::ScalarType type = at::kFloat);

/// Weights to go on from. Throws UsageError for a file that is not of the adaptive network.
models::TensorMap load_weights(const std::filesystem::path& path);

}  // namespace atelier::training
