#include "hdf5_handle.h"

#include <cstdlib>

namespace atelier::io {
namespace {

// HDF5 would lock the files it opens, and not every mounted store can. It looks at this variable when it is
// first used; here, before main, no other thread reads the environment.
[[maybe_unused]] const int locking_is_off = setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);

}  // namespace

std::string hdf5_error_text() {
  std::string text;
  const auto take = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    *static_cast<std::string*>(out) = error->desc != nullptr ? error->desc : "";
    return 1;  // the first one is enough
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take, &text);
  return text.empty() ? "unknown HDF5 error" : text;
}

void silence_hdf5() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

}  // namespace atelier::io
