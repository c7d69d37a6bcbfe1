#pragma once

#include <hdf5.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace atelier::io {

/// An HDF5 call failed; what() is HDF5's own description. Turned into JobError or UsageError by the caller,
/// who knows the file.
class Hdf5Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Hdf5Failure for a negative result; returns it otherwise.
template <typename Result>
Result check(Result result, const char* function);

/// Owner of an HDF5 identifier.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);
  /// id: result of `function`, checked.
  Hdf5Handle(hid_t id, Close close, const char* function) : id_(check(id, function)), close_(close) {}
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(Hdf5Handle&&) = delete;

  [[nodiscard]] hid_t get() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

/// HDF5's description of the last failure: of the innermost call.
std::string hdf5_error_text();
/// HDF5 prints its error stack to stderr unless told not to.
void silence_hdf5();

template <typename Result>
Result check(Result result, const char* function) {
  if (result < 0) throw Hdf5Failure(std::string(function) + ": " + hdf5_error_text());
  return result;
}

}  // namespace atelier::io
