#include "atelier/base/file_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/file_status.h"
#include "atelier/base/handle.h"
#include "atelier/base/storage_retry.h"

namespace {

std::vector<int> read_errors;  // of the next reads, 0: none
int num_reads = 0;

}  // namespace

// In place of the C library's.
extern "C" ssize_t pread(int file, void* bytes, std::size_t size, off_t offset) {
  ++num_reads;
  if (!read_errors.empty()) {
    const int error_number = read_errors.front();
    read_errors.erase(read_errors.begin());
    if (error_number != 0) {
      errno = error_number;
      return -1;
    }
  }
  return ::syscall(SYS_pread64, file, bytes, std::min<std::size_t>(size, 3), offset);  // always short
}

namespace atelier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

class FileReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    give_up_reading(true);  // no waits
    read_errors.clear();
    write_file_once(path_, bytes_of("0123456789"));
    num_reads = 0;
  }
  void TearDown() override { give_up_reading(false); }

  static std::string text(FileReader& reader, std::int64_t offset, std::size_t size) {
    std::string read(size, '?');
    const std::ptrdiff_t got = reader.read(offset, std::as_writable_bytes(std::span(read)));
    return got < 0 ? "failed" : read.substr(0, static_cast<std::size_t>(got));
  }
  static std::string error_of(const FileReader& reader) {
    try {
      reader.throw_if_failed();
    } catch (const JobError& error) {
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
  fs::path path_ = folder_.path() / "file";
};

TEST_F(FileReaderTest, ReadsAnyPartThoughEveryReadIsShort) {
  FileReader reader(path_);
  EXPECT_EQ(reader.size_bytes(), 10);
  EXPECT_EQ(text(reader, 0, 10), "0123456789");
  EXPECT_EQ(text(reader, 7, 10), "789");
  EXPECT_EQ(text(reader, 10, 10), "");
  EXPECT_EQ(text(reader, 99, 1), "");
  EXPECT_EQ(error_of(reader), "");
}

TEST_F(FileReaderTest, WhatMayPassIsTriedAgain) {
  for (const int error_number : {EIO, ESTALE, ENOTCONN, EAGAIN, EINTR, ETIMEDOUT}) {
    FileReader reader(path_);
    read_errors = {0, error_number, error_number, 0, error_number, 0};
    EXPECT_EQ(text(reader, 0, 10), "0123456789") << error_number;
    EXPECT_EQ(error_of(reader), "");
  }
}

TEST_F(FileReaderTest, WhatLastsIsSaidAndKept) {
  FileReader reader(path_);
  read_errors = {0, ESTALE, ESTALE, ESTALE, ESTALE};
  EXPECT_EQ(text(reader, 2, 8), "failed");
  EXPECT_EQ(num_reads, 5);
  EXPECT_THAT(error_of(reader), AllOf(HasSubstr("file' at byte 5 (Stale file handle)"),
                                      HasSubstr("run the same command again")));
  EXPECT_EQ(text(reader, 0, 10), "failed");  // though the storage is back
  EXPECT_EQ(num_reads, 5);
}

TEST_F(FileReaderTest, WhatWillNotPassIsNotTriedAgain) {
  FileReader reader(path_);
  read_errors = {EBADMSG};
  EXPECT_EQ(text(reader, 0, 10), "failed");
  EXPECT_EQ(num_reads, 1);
}

TEST_F(FileReaderTest, EndsWhereItEndedWhenItWasOpened) {
  FileReader reader(path_);
  write_file_once(path_, bytes_of("0123456789abcdef"));
  EXPECT_EQ(text(reader, 5, 99), "56789");
}

TEST_F(FileReaderTest, AFileThatShrinksHasNoEarlierEnd) {
  FileReader reader(path_);
  fs::resize_file(path_, 4);
  EXPECT_EQ(text(reader, 0, 10), "failed");
  EXPECT_THAT(error_of(reader), AllOf(HasSubstr("at byte 4"), HasSubstr("changed since it was opened")));
}

TEST_F(FileReaderTest, AnotherFileIsNotReadOn) {
  FileReader reader(path_);
  write_file_once(folder_.path() / "other", bytes_of("0123456789abcdef"));
  fs::rename(folder_.path() / "other", path_);
  EXPECT_EQ(text(reader, 0, 10), "0123456789");  // the one that was opened
  read_errors = {ESTALE};
  EXPECT_EQ(text(reader, 0, 10), "failed");
  EXPECT_THAT(error_of(reader), HasSubstr("changed since it was opened"));
}

TEST_F(FileReaderTest, OnlyRegularFiles) {
  const fs::path pipe = folder_.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THROW(FileReader{pipe}, UsageError);
  EXPECT_THROW(FileReader{folder_.path()}, UsageError);
  EXPECT_THROW(FileReader{folder_.path() / "missing"}, UsageError);
}

TEST_F(FileReaderTest, WholeFilesAndFolders) {
  EXPECT_EQ(read_file(path_).size(), 10U);
  read_errors = {EIO, EIO, EIO, EIO};
  EXPECT_THROW(read_file(path_), JobError);
  EXPECT_THROW(read_file(folder_.path()), UsageError);
  fs::create_symlink(path_, folder_.path() / "link");
  fs::create_symlink("nothing", folder_.path() / "dangling");
  fs::create_directory(folder_.path() / "folder");
  EXPECT_THAT(regular_files(folder_.path()),
              testing::UnorderedElementsAre(path_, folder_.path() / "link", folder_.path() / "dangling"));
  EXPECT_THROW(regular_files(folder_.path() / "missing"), UsageError);
  EXPECT_EQ(file_status(folder_.path()).kind, FileStatus::Kind::folder);
  EXPECT_EQ(file_status(folder_.path() / "link").size_bytes, 10);
  EXPECT_EQ(file_status(folder_.path() / "missing").error_number, ENOENT);
}

}  // namespace
}  // namespace atelier
