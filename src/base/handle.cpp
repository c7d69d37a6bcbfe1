#include "atelier/base/handle.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier {

Buffer read_file(const std::filesystem::path& path) {
  std::error_code no_size;
  if (std::filesystem::is_directory(path, no_size)) {
    throw UsageError(concat("cannot read '", path.string(), "'"), "it is a folder");
  }
  FileHandle file(std::fopen(path.c_str(), "rb"));
  if (!file) throw UsageError(concat("cannot read '", path.string(), "'"), errno_text(errno));
  const std::uintmax_t size = std::filesystem::file_size(path, no_size);
  if (no_size) throw UsageError(concat("cannot read '", path.string(), "'"), no_size.message());
  Buffer bytes(size);
  if (std::fread(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) {
    throw UsageError(concat("cannot read '", path.string(), "'"), "it ended early");
  }
  return bytes;
}

void write_file_once(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  FileHandle file(std::fopen(path.c_str(), "wb"));
  if (!file) throw JobError(concat("cannot write '", path.string(), "'"), errno_text(errno));
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
  const int write_error = errno;
  if (std::fclose(file.release()) != 0 || !written) {
    throw JobError(concat("cannot write '", path.string(), "'"), errno_text(written ? errno : write_error));
  }
}

std::filesystem::path temporary_root() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/tmp";
}

TemporaryFolder::TemporaryFolder(const std::string& name_start)
    : TemporaryFolder(temporary_root(), name_start) {}

TemporaryFolder::TemporaryFolder(const std::filesystem::path& parent, const std::string& name_start) {
  std::string name = (parent / (name_start + ".XXXXXX")).string();
  if (mkdtemp(name.data()) == nullptr) {
    throw JobError(concat("cannot make a temporary folder in '", parent.string(), "'"), errno_text(errno),
                   "Set TMPDIR to a writable folder");
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

}  // namespace atelier
