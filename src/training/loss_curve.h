#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "atelier/training/trainer.h"

namespace atelier::training {

/// The losses of a training as CSV, a row each log line and checkpoint. Written anew each time, whole or as
/// before.
class LossCurve {
 public:
  /// Rows of an earlier start after num_iterations are left out. Empty path: nothing is written.
  LossCurve(std::filesystem::path path, int num_iterations);

  void add(const TrainReport& report, double learning_rate);
  /// Losses on what is held aside, after that iteration.
  void add_aside(int num_iterations, double seconds_s, double content, double style, double instability);

 private:
  void add_row(const std::string& row);

  std::filesystem::path path_;
  std::vector<std::string> rows_;
};

}  // namespace atelier::training
