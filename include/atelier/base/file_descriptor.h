#pragma once

#include <unistd.h>

#include <utility>

namespace atelier {

/// A file of the operating system that closes itself. Errors of that close are lost: writers call close().
class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  /// Negative: it could not be opened.
  [[nodiscard]] int get() const { return number_; }
  /// 0, or -1 with errno.
  int close() { return ::close(std::exchange(number_, -1)); }

 private:
  int number_;
};

}  // namespace atelier
