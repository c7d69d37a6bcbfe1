#include "text_file.h"

#include <cerrno>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::planning {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path) {
  throw JobError(concat("cannot write '", path.string(), "'"), errno_text(errno));
}

}  // namespace

TextFile::TextFile(std::filesystem::path path)
    : path_(std::move(path)), file_(std::fopen(path_.c_str(), "wbe")) {
  if (!file_) refuse(path_);
}

void TextFile::put(std::string_view text) {
  constexpr std::size_t piece_bytes = std::size_t{1} << 20;
  waiting_ += text;
  if (waiting_.size() >= piece_bytes) flush();
}

void TextFile::flush() {
  if (std::fwrite(waiting_.data(), 1, waiting_.size(), file_.get()) != waiting_.size()) refuse(path_);
  waiting_.clear();
}

void TextFile::close() {
  flush();
  if (std::fclose(file_.release()) != 0) refuse(path_);
}

}  // namespace atelier::planning
