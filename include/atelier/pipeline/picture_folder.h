#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace atelier::pipeline {

/// A still picture: height_px x width_px x 3 floats, interleaved RGB in [0,1].
struct NamedPicture {
  std::string name;  ///< of its file
  int width_px = 0;
  int height_px = 0;
  std::vector<float> rgb;
};

/// Hands each picture of a folder to take, in the order of their names; one at a time is in memory. Those
/// that cannot be read are named in a warning and left out. Throws UsageError if the folder has no readable
/// picture.
void read_picture_folder(const std::filesystem::path& folder, const std::function<void(NamedPicture)>& take);

}  // namespace atelier::pipeline
