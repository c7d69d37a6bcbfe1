#include "log_file.h"

#include <cerrno>
#include <system_error>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::log {

LogFile::LogFile(const std::filesystem::path& path) : path_(path) {
  std::error_code no_folder;  // then opening fails
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), no_folder);
  file_.reset(std::fopen(path.c_str(), "wbe"));
  if (!file_) spdlog::throw_spdlog_ex("cannot open the log file", errno);
}

void LogFile::sink_it_(const spdlog::details::log_msg& message) {
  if (!file_) return;
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size()) return give_up(errno);
  if (!flushed_ || since_flush_.seconds_s() > 1) flush_();
}

void LogFile::flush_() {
  flushed_ = true;
  since_flush_.restart_s();
  if (file_ && std::fflush(file_.get()) != 0) give_up(errno);
}

void LogFile::give_up(int error_number) {
  file_.reset();
  // Not through the log, which is being written.
  const std::string line = concat("atelier: warning: the log file '", path_.string(), "' ends here (",
                                  errno_text(error_number), "). The job goes on without it.\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace atelier::log
