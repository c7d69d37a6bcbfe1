#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "atelier/io/file_operations.h"

namespace atelier::io {

/// The system's files, with failures where a test wants them. Waits take no time.
class FaultyFiles : public FileOperations {
 public:
  std::deque<int> write_errors;  ///< the next writes leave half of their file and give these; 0: no failure
  std::deque<int> read_errors;
  std::deque<int> list_errors;
  std::deque<int> make_folder_errors;
  std::deque<int> remove_errors;
  std::vector<double> waits_s;
  std::vector<std::string> written;  ///< names, in order, also of failed writes
  std::function<void()> on_wait;

  int create(const std::filesystem::path& path, std::span<const std::byte> bytes) override {
    return write(path, bytes, [&](std::span<const std::byte> part) { return real_.create(path, part); });
  }
  int replace(const std::filesystem::path& path, std::span<const std::byte> bytes) override {
    return write(path, bytes, [&](std::span<const std::byte> part) { return real_.replace(path, part); });
  }
  int read(const std::filesystem::path& path, std::size_t max_bytes, Buffer& bytes) override {
    const int failed = next(read_errors);
    return failed != 0 ? failed : real_.read(path, max_bytes, bytes);
  }
  int list(const std::filesystem::path& folder, std::vector<std::string>& names) override {
    const int failed = next(list_errors);
    return failed != 0 ? failed : real_.list(folder, names);
  }
  int make_folder(const std::filesystem::path& path) override {
    const int failed = next(make_folder_errors);
    return failed != 0 ? failed : real_.make_folder(path);
  }
  int remove(const std::filesystem::path& path) override {
    const int failed = next(remove_errors);
    return failed != 0 ? failed : real_.remove(path);
  }
  void wait(double seconds_s) override {
    waits_s.push_back(seconds_s);
    if (on_wait) on_wait();
  }

 private:
  static int next(std::deque<int>& errors) {
    if (errors.empty()) return 0;
    const int error_number = errors.front();
    errors.pop_front();
    return error_number;
  }
  template <typename Write>
  int write(const std::filesystem::path& path, std::span<const std::byte> bytes, const Write& write_real) {
    written.push_back(path.filename().string());
    const int failed = next(write_errors);
    if (failed == 0) return write_real(bytes);
    static_cast<void>(write_real(bytes.first(bytes.size() / 2)));
    return failed;
  }

  FileOperations& real_ = system_files();
};

}  // namespace atelier::io
