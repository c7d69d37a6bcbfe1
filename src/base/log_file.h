#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>

#include "atelier/base/handle.h"
#include "atelier/base/stopwatch.h"

namespace atelier::log {

/// A log file that an object store can take: written front to back, closed once. (spdlog's own file sink
/// opens for appending.) A process that is killed loses the lines of its last second. After a failed write
/// the rest is dropped: a log must not end a job.
class LogFile final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// Makes the folder if need be. Throws spdlog_ex, with errno set, if the file cannot be made.
  explicit LogFile(const std::filesystem::path& path);

 private:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override;
  void give_up(int error_number);

  std::filesystem::path path_;
  FileHandle file_;
  Stopwatch since_flush_;
  bool flushed_ = false;
};

}  // namespace atelier::log
