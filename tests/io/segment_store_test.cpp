#include "atelier/io/segment_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/io/work_directory.h"
#include "io/faulty_files.h"
#include "io/segments.h"

namespace atelier::io {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Hash128 fingerprint{0x0123456789abcdefU, 0xfedcba9876543210U};
constexpr const char* first_name = "00000004-0123456789abcdef-start1.seg";

class SegmentStoreTest : public ::testing::Test {
 protected:
  SegmentStoreTest() { make_work_directory(work_dir()); }

  [[nodiscard]] fs::path work_dir() const { return folder_.path() / "out.mkv.atelier"; }
  [[nodiscard]] fs::path segments() const { return work_dir() / "segments"; }
  SegmentStore store(const std::string& start_id = "start1", Hash128 of = fingerprint) {
    return {work_dir(), of, start_id, files_};
  }
  [[nodiscard]] static StoredSegment segment(std::int64_t chunk_index) {
    return example_segment(chunk_index, fingerprint);
  }
  void write(const std::string& name, std::span<const std::byte> bytes) {
    write_file_once(segments() / name, bytes);
  }

  TemporaryFolder folder_;
  FaultyFiles files_;
};

std::vector<std::int64_t> chunks_of(const FoundSegments& found) {
  std::vector<std::int64_t> indices;
  for (const auto& [chunk_index, segment] : found.chunks) indices.push_back(chunk_index);
  return indices;
}

void expect_equal(const StoredSegment& a, const StoredSegment& b) {
  const Buffer x = serialise_segment(a);
  const Buffer y = serialise_segment(b);
  EXPECT_TRUE(std::ranges::equal(x.bytes(), y.bytes()));
}

template <typename Function>
std::string error_of(const Function& function) {
  try {
    function();
  } catch (const JobError& e) {
    return e.what();
  }
  return "nothing thrown";
}

TEST_F(SegmentStoreTest, another_start_finds_and_reads_what_one_put) {
  SegmentStore first = store();
  first.put(segment(4));
  first.put(segment(0));
  SegmentStore second = store("start2");
  const FoundSegments found = second.find();
  EXPECT_THAT(chunks_of(found), ElementsAre(0, 4));
  EXPECT_TRUE(found.passed_over.empty());
  EXPECT_EQ(found.chunks.at(4).chunk.end_frame, 15);
  EXPECT_EQ(found.chunks.at(4).input_hash, segment(4).input_hash);
  EXPECT_EQ(found.chunks.at(4).last_pts_ticks, 1962);
  EXPECT_EQ(found.chunks.at(4).reader_state, segment(4).reader_state);
  EXPECT_EQ(found.chunks.at(4).processor, segment(4).processor);
  expect_equal(second.read(4), segment(4));
  expect_equal(first.read(0), segment(0));
}

TEST_F(SegmentStoreTest, names_say_chunk_fingerprint_and_start_and_are_never_used_again) {
  SegmentStore one = store();
  one.put(segment(4));
  one.put(segment(4));
  EXPECT_THAT(files_.written, ElementsAre(first_name, first_name, "00000004-0123456789abcdef-start1.2.seg"));
  SegmentStore other = store("start2");
  EXPECT_THAT(chunks_of(other.find()), ElementsAre(4));
  const FoundSegments found = other.find();
  ASSERT_EQ(found.passed_over.size(), 1U);
  EXPECT_EQ(found.passed_over[0].problem.fault, SegmentFault::duplicate);
}

TEST_F(SegmentStoreTest, segments_of_a_live_other_job_are_found_as_they_come) {
  SegmentStore mine = store();
  SegmentStore other = store("start2");
  EXPECT_TRUE(mine.find().chunks.empty());
  const Buffer whole = serialise_segment(segment(4));
  const std::string name = "00000004-0123456789abcdef-start3.seg";
  write(name, whole.bytes().first(100));
  EXPECT_TRUE(mine.find().chunks.empty());
  write(name, whole.bytes());
  other.put(segment(5));
  EXPECT_THAT(chunks_of(mine.find()), ElementsAre(4, 5));
  mine.put(segment(5));
  EXPECT_THAT(chunks_of(other.find()), ElementsAre(4, 5));
}

TEST_F(SegmentStoreTest, what_is_not_whole_and_right_is_passed_over_and_named) {
  SegmentStore one = store();
  const Buffer whole = serialise_segment(segment(4));
  write(first_name, whole.bytes().first(whole.size() / 2));
  write("00000004-0123456789abcdef-empty.seg", {});
  Buffer flipped = whole.clone();
  flipped.data()[whole.size() / 2] ^= std::byte{1};
  write("00000004-0123456789abcdef-flipped.seg", flipped.bytes());
  Buffer newer = whole.clone();
  newer.data()[8] = std::byte{9};
  write("00000004-0123456789abcdef-newer.seg", newer.bytes());
  write("00000005-0123456789abcdef-swapped.seg", whole.bytes());
  write("00000004-ffffffffffffffff-renamed.seg", whole.bytes());
  write("00000004-0123456789abcdef-otherlow.seg",
        serialise_segment(example_segment(4, {fingerprint.high, 1})).bytes());
  write("00000004-0123456789abcdef-otherhigh.seg", serialise_segment(example_segment(4, {1, 1})).bytes());
  const std::string text = "hello";
  write("notes.txt", std::as_bytes(std::span(text)));
  write("4-0123456789abcdef-start1.seg", whole.bytes());
  fs::create_directory(segments() / "00000004-0123456789abcdef-folder.seg");
  ASSERT_EQ(::mkfifo((segments() / "00000004-0123456789abcdef-pipe.seg").c_str(), 0600), 0);

  const FoundSegments found = one.find();
  EXPECT_TRUE(found.chunks.empty());
  std::map<std::string, SegmentFault> faults;
  for (const PassedOver& file : found.passed_over) {
    EXPECT_FALSE(file.problem.reason.empty()) << file.file_name;
    faults[file.file_name] = file.problem.fault;
  }
  const std::map<std::string, SegmentFault> wanted = {
      {first_name, SegmentFault::cut},
      {"00000004-0123456789abcdef-empty.seg", SegmentFault::cut},
      {"00000004-0123456789abcdef-flipped.seg", SegmentFault::damaged},
      {"00000004-0123456789abcdef-newer.seg", SegmentFault::other_version},
      {"00000005-0123456789abcdef-swapped.seg", SegmentFault::misnamed},
      {"00000004-ffffffffffffffff-renamed.seg", SegmentFault::other_settings},
      {"00000004-0123456789abcdef-otherlow.seg", SegmentFault::other_settings},
      {"00000004-0123456789abcdef-otherhigh.seg", SegmentFault::misnamed},
      {"notes.txt", SegmentFault::not_a_segment},
      {"4-0123456789abcdef-start1.seg", SegmentFault::not_a_segment},
      {"00000004-0123456789abcdef-folder.seg", SegmentFault::unreadable},
      {"00000004-0123456789abcdef-pipe.seg", SegmentFault::unreadable},
  };
  EXPECT_EQ(faults, wanted);
  EXPECT_EQ(summary(found.passed_over),
            "passed over 12 stored files: 2 no segment, 1 of another version, 2 cut, 1 damaged, 2 of other "
            "settings, 2 misnamed, 2 unreadable");

  one.put(segment(4));
  EXPECT_THAT(chunks_of(one.find()), ElementsAre(4));
}

TEST_F(SegmentStoreTest, what_may_pass_is_tried_again_under_a_new_name) {
  for (const int error_number : {EIO, ESTALE, ENOTCONN, EAGAIN, ENOSPC, EDQUOT}) {
    SegmentStore one = store(std::string("e") + std::to_string(error_number));
    files_.written.clear();
    files_.waits_s.clear();
    files_.write_errors = {error_number, error_number};
    one.put(segment(4));
    EXPECT_EQ(files_.written.size(), 3U);
    EXPECT_EQ(std::set(files_.written.begin(), files_.written.end()).size(), 3U);
    EXPECT_THAT(files_.waits_s, ElementsAre(retry_waits_s[0], retry_waits_s[1]));
    EXPECT_THAT(chunks_of(store("reader").find()), ElementsAre(4));
    expect_equal(one.read(4), segment(4));
  }
  EXPECT_TRUE(summary(store("reader").find().passed_over).find("cut") == std::string::npos);
}

TEST_F(SegmentStoreTest, what_does_not_pass_ends_in_a_sentence) {
  SegmentStore one = store();
  files_.write_errors = {ENOSPC, ENOSPC, ENOSPC, ENOSPC};
  EXPECT_THAT(error_of([&] { one.put(segment(4)); }),
              AllOf(HasSubstr("cannot write '"), HasSubstr(errno_text(ENOSPC)), HasSubstr("Free some space"),
                    HasSubstr("Run the same command again")));
  EXPECT_EQ(files_.waits_s.size(), std::size(retry_waits_s));
  EXPECT_TRUE(fs::is_empty(segments()));
  EXPECT_THROW(one.read(4), JobError);

  files_.waits_s.clear();
  files_.write_errors = {EROFS};
  EXPECT_THAT(error_of([&] { one.put(segment(4)); }), HasSubstr("writable"));
  EXPECT_TRUE(files_.waits_s.empty());
}

// The close of a file may fail although all of it arrived.
TEST_F(SegmentStoreTest, leftover_of_a_failed_try_that_cannot_be_removed_does_no_harm) {
  SegmentStore one = store();
  files_.write_errors = {EIO};
  files_.remove_errors = {EIO};
  one.put(segment(4));
  const FoundSegments found = store("start2").find();
  EXPECT_THAT(chunks_of(found), ElementsAre(4));
  EXPECT_EQ(summary(found.passed_over), "passed over 1 stored file: 1 cut");
}

TEST_F(SegmentStoreTest, reading_is_tried_again_and_takes_another_copy) {
  store("start0").put(segment(4));
  SegmentStore one = store();
  one.put(segment(4));
  files_.read_errors = {ESTALE, EIO};
  EXPECT_THAT(chunks_of(one.find()), ElementsAre(4));
  files_.read_errors = {ENOTCONN};
  expect_equal(one.read(4), segment(4));
  fs::remove(segments() / first_name);
  expect_equal(one.read(4), segment(4));
  fs::remove(segments() / "00000004-0123456789abcdef-start0.seg");
  EXPECT_THAT(error_of([&] { one.read(4); }), AllOf(HasSubstr("chunk 4"), HasSubstr("made anew")));
  EXPECT_TRUE(one.find().chunks.empty());
}

TEST_F(SegmentStoreTest, storage_that_fails_loses_no_chunk) {
  store("start0").put(segment(4));
  SegmentStore one = store();
  files_.read_errors = {EIO, EIO, EIO, EIO};
  EXPECT_THAT(error_of([&] { one.find(); }), AllOf(HasSubstr("cannot read"), HasSubstr(errno_text(EIO)),
                                                   HasSubstr("run the same command again")));
  EXPECT_THAT(chunks_of(one.find()), ElementsAre(4));
  files_.read_errors = {EIO, EIO, EIO, EIO};
  EXPECT_THAT(error_of([&] { one.read(4); }), HasSubstr("Check the storage"));
  EXPECT_THAT(chunks_of(one.find()), ElementsAre(4));
}

TEST_F(SegmentStoreTest, work_directory_that_goes_midway_ends_in_a_sentence) {
  SegmentStore one = store();
  one.put(segment(4));
  fs::remove_all(work_dir());
  EXPECT_THAT(error_of([&] { one.put(segment(5)); }), HasSubstr("the work directory is gone"));
  EXPECT_THAT(error_of([&] { one.find(); }), HasSubstr("the work directory is gone"));
  EXPECT_THAT(error_of([&] { one.read(4); }), HasSubstr("made anew"));
}

TEST_F(SegmentStoreTest, segment_of_other_settings_is_not_stored) {
  SegmentStore one = store();
  EXPECT_THROW(one.put(example_segment(4, {1, 2})), JobError);
  EXPECT_TRUE(fs::is_empty(segments()));
}

TEST_F(SegmentStoreTest, threads_put_and_read_while_another_finds) {
  SegmentStore one(work_dir(), fingerprint, "start1");
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 20; ++i) {
        one.put(segment(i * 3 + thread));
        static_cast<void>(one.read(i * 3 + thread));
      }
    });
  }
  for (int i = 0; i < 20; ++i) static_cast<void>(one.find());
  for (std::thread& thread : threads) thread.join();
  const FoundSegments found = one.find();
  EXPECT_EQ(found.chunks.size(), 60U);
  EXPECT_TRUE(found.passed_over.empty());
}

/// A mount of a tmpfs that only this process sees, and that goes with it.
bool mount_privately(const fs::path& where, unsigned long flags, const char* options) {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", where.c_str(), "tmpfs", flags, options) == 0;
}

TEST_F(SegmentStoreTest, full_disk_ends_in_a_sentence_and_loses_nothing) {
  if (!mount_privately(work_dir(), 0, "size=256k")) GTEST_SKIP() << "mounting is not permitted here";
  SegmentStore one = store();
  StoredSegment large = segment(1);
  large.segment.packets[0].data = some_bytes(100'000, 1);
  one.put(large);
  StoredSegment too_large = segment(2);
  too_large.segment.packets[0].data = some_bytes(200'000, 1);
  EXPECT_THAT(error_of([&] { one.put(too_large); }), HasSubstr("Free some space there"));
  EXPECT_THAT(chunks_of(store("start2").find()), ElementsAre(1));
  expect_equal(one.read(1), large);

  // Room comes back between two tries.
  files_.on_wait = [&] { fs::remove(segments() / "00000001-0123456789abcdef-start1.seg"); };
  one.put(too_large);
  expect_equal(one.read(2), too_large);
  ::umount2(work_dir().c_str(), MNT_DETACH);
}

TEST_F(SegmentStoreTest, read_only_work_directory_is_said) {
  if (!mount_privately(work_dir(), MS_RDONLY, "")) GTEST_SKIP() << "mounting is not permitted here";
  make_work_directory(work_dir());
  EXPECT_THAT(error_of([&] { store(); }), AllOf(HasSubstr(errno_text(EROFS)), HasSubstr("--work-dir")));
  ::umount2(work_dir().c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace atelier::io
