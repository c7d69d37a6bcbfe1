#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "atelier/base/handle.h"

namespace atelier::planning {

/// A text file that is written front to back in large pieces and closed once.
class TextFile {
 public:
  /// Throws JobError that names the file, as the others do.
  explicit TextFile(std::filesystem::path path);
  void put(std::string_view text);
  /// To be called at the end: what could not be written is noticed here.
  void close();

 private:
  void flush();

  std::filesystem::path path_;
  FileHandle file_;
  std::string waiting_;
};

}  // namespace atelier::planning
