#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier {

/// The GNU build id that the linker wrote into this program, in hex digits: a hash of all its code and data,
/// so that programs of different sources never share one. Read from the loaded program's own notes. Throws
/// JobError for a program without one.
const std::string& build_id();

/// A shared library in this process. The build id is "" where its linker wrote none.
struct LoadedLibrary {
  std::string file;  ///< its name without folders, as loaded: "libavcodec.so.59"
  std::string build_id;
};

/// The loaded shared libraries whose file names begin with one of the prefixes, by name.
std::vector<LoadedLibrary> loaded_libraries(const std::vector<std::string_view>& prefixes);

}  // namespace atelier
