#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "atelier/tensor/device.h"

namespace atelier::pipeline {

/// All settings of `atelier run`; only the root has it. Each field is one option (see cli/options).
struct RunConfig {
  std::filesystem::path input;
  std::filesystem::path output;
  std::vector<std::filesystem::path> styles;
  std::vector<double> style_weights;  ///< empty: equal shares
  std::string engine = "adaptive";    ///< adaptive, feedforward, identity, simulated
  std::filesystem::path model;        ///< weights; empty: the shipped ones of the engine
  double strength = 1;                ///< 0: the source, 1: full style
  double simulated_ms = 5;            ///< that --engine simulated takes for a frame
  std::vector<std::pair<int, double>>
      simulated_slow;      ///< ranks of --engine simulated that take so many times longer
  int simulated_gpus = 0;  ///< of each machine with --engine simulated; 0: one for each worker
  std::vector<std::pair<int, std::string>> simulated_processors;  ///< ranks as if on another processor

  std::optional<int> stream;        ///< index of the video stream to style; nullopt: it is chosen
  int height_px = 0;                ///< 0: the input's
  double start_s = 0;               ///< relative to the start of the stream
  double duration_s = 0;            ///< 0: to the end
  std::optional<double> preview_s;  ///< style only the frame at this time, to a PNG
  bool dry_run = false;

  std::int64_t chunk_frames = 0;  ///< 0: the default for the frame size
  tensor::Precision precision = tensor::Precision::fp32;
  std::string device = "auto";  ///< auto, cpu, cuda
  std::string decode = "auto";  ///< auto, root, workers
  std::string encode = "auto";  ///< auto, root, workers

  std::string codec;  ///< empty: by container
  std::string preset;
  std::optional<double> crf;
  std::vector<std::pair<std::string, std::string>> encoder_options;
  std::string pixel_format;

  std::filesystem::path record;     ///< empty: none
  std::filesystem::path log_dir;    ///< empty: none
  std::string status;               ///< file that says how far the job is; empty: OUT.status.json, or "none"
  std::filesystem::path stage_dir;  ///< local scratch; empty: $TMPDIR or /tmp
  bool overwrite = false;

  std::filesystem::path work_dir;  ///< empty: OUT.atelier
  bool resume = true;              ///< go on from what the work directory has
  bool keep_work = false;          ///< leave the work directory after success
  double grace_s = 20;             ///< to finish what is under way when interrupted
  double max_time_s = 0;           ///< interrupt after this long; 0: never
  double rank_timeout_s = 20;      ///< a worker that is silent for so long is gone; 0: none is
  bool allow_mixed = false;        ///< workers on different kinds of CPU or GPU

  std::string progress = "auto";  ///< auto, bar, json, none

  /// Every option as given or defaulted, for the record: name and value.
  std::vector<std::pair<std::string, std::string>> settings;
};

}  // namespace atelier::pipeline
