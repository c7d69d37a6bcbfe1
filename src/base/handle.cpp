#include "atelier/base/handle.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "atelier/base/checked_cast.h"
#include "atelier/base/error.h"
#include "atelier/base/file_descriptor.h"
#include "atelier/base/file_reader.h"
#include "atelier/base/file_status.h"
#include "atelier/base/text.h"

namespace atelier {

namespace {

// Of a pipe or a device, to its end.
Buffer read_stream(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw_unreadable(path, errno);
  std::vector<std::byte> all;
  std::array<std::byte, 4096> block;
  for (;;) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_unreadable(path, errno);
    if (got == 0) return Buffer(all);
    all.insert(all.end(), block.begin(), block.begin() + got);
  }
}

}  // namespace

Buffer read_file(const std::filesystem::path& path) {
  if (file_status(path).kind == FileStatus::Kind::other) return read_stream(path);
  FileReader file(path);
  Buffer bytes(checked_cast<std::size_t>(file.size_bytes()));
  file.read(0, bytes.bytes());
  file.throw_if_failed();
  return bytes;
}

void write_file_once(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  FileHandle file(std::fopen(path.c_str(), "wb"));
  if (!file) throw JobError(concat("cannot write '", path.string(), "'"), errno_text(errno));
  const bool written =
      bytes.empty() || std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
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
