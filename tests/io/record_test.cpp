#include "atelier/io/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"

namespace atelier::io {
namespace {

JobRecord example(std::int64_t num_frames) {
  JobRecord record;
  record.job = {{"input", "Schüler \"1\".mkv"},        {"style", "a.jpg"}, {"style", "b.jpg"}, {"empty", ""},
                {"a first name that sorts late", "z"}, {"outcome", "done"}};
  record.wall_s = 12.5;
  record.startup_s = 0.25;
  record.start_time_s = 1.7e9 + 0.125;
  record.ranks = {{0, "root", "host-a", "", 2, 0.1, 12.4, 3.5, 0, 123456789, 0, 0, 0, 0, 0, 4},
                  {1, "worker", "host-b", "NVIDIA H100 80GB HBM3", 1, 0.2, 12.3, 11, num_frames, 1LL << 40,
                   1.25, 0.5, 1LL << 41, 1LL << 42, 1LL << 43, 0}};
  record.chunks = {{0, 0, 48, 1, 1, 0.3, 4, 4.5, 1000, 0, 4.1, 4.4},
                   {1, 48, 60, 1, 3, 0.4, 5, 5.5, 1LL << 33, 1, 5.1, 5.2}};
  for (std::int64_t i = 0; i < num_frames; ++i) {
    record.frames.push_back({i, -3 + i * 1001, static_cast<std::int32_t>(i / 48), 1,
                             0.5 + 0.01 * static_cast<double>(i), 0.001F, 0.002F, 0.003F, 0.25F, 0.004F, 0.1,
                             0.2, 0.3, 0.4, 0.6 + 0.01 * static_cast<double>(i)});
  }
  record.events = {{1.5, 0, "warning", "the container cannot hold 'timed_id3'"},
                   {2, 1, "retry", std::string(5000, 'x')}};
  return record;
}

/// All values exactly.
void expect_equal(const JobRecord& a, const JobRecord& b) {
  EXPECT_EQ(a.wall_s, b.wall_s);
  EXPECT_EQ(a.startup_s, b.startup_s);
  EXPECT_EQ(a.start_time_s, b.start_time_s);
  ASSERT_EQ(a.ranks.size(), b.ranks.size());
  for (std::size_t i = 0; i < a.ranks.size(); ++i) {
    const RankRow& x = a.ranks[i];
    const RankRow& y = b.ranks[i];
    EXPECT_EQ(std::tie(x.rank, x.role, x.host, x.device, x.num_threads, x.start_s, x.end_s, x.busy_s,
                       x.num_frames, x.peak_memory_bytes, x.cpu_s, x.message_cpu_s, x.bytes_sent,
                       x.bytes_received, x.bytes_between_machines, x.num_encoders),
              std::tie(y.rank, y.role, y.host, y.device, y.num_threads, y.start_s, y.end_s, y.busy_s,
                       y.num_frames, y.peak_memory_bytes, y.cpu_s, y.message_cpu_s, y.bytes_sent,
                       y.bytes_received, y.bytes_between_machines, y.num_encoders));
  }
  ASSERT_EQ(a.chunks.size(), b.chunks.size());
  for (std::size_t i = 0; i < a.chunks.size(); ++i) {
    const ChunkRow& x = a.chunks[i];
    const ChunkRow& y = b.chunks[i];
    EXPECT_EQ(std::tie(x.chunk_index, x.first_frame, x.end_frame, x.rank, x.num_tries, x.dealt_s, x.styled_s,
                       x.encoded_s, x.encoded_bytes, x.encode_rank, x.flush_begin_s, x.encode_end_s),
              std::tie(y.chunk_index, y.first_frame, y.end_frame, y.rank, y.num_tries, y.dealt_s, y.styled_s,
                       y.encoded_s, y.encoded_bytes, y.encode_rank, y.flush_begin_s, y.encode_end_s));
  }
  ASSERT_EQ(a.frames.size(), b.frames.size());
  for (std::size_t i = 0; i < a.frames.size(); ++i) {
    const FrameRow& x = a.frames[i];
    const FrameRow& y = b.frames[i];
    ASSERT_EQ(std::tie(x.frame_index, x.pts_ticks, x.chunk_index, x.rank, x.done_s, x.decode_s, x.transfer_s,
                       x.convert_s, x.style_s, x.encode_s, x.decoded_s, x.sent_s, x.received_s,
                       x.style_begin_s, x.encode_begin_s),
              std::tie(y.frame_index, y.pts_ticks, y.chunk_index, y.rank, y.done_s, y.decode_s, y.transfer_s,
                       y.convert_s, y.style_s, y.encode_s, y.decoded_s, y.sent_s, y.received_s,
                       y.style_begin_s, y.encode_begin_s));
  }
  ASSERT_EQ(a.events.size(), b.events.size());
  for (std::size_t i = 0; i < a.events.size(); ++i) {
    const EventRow& x = a.events[i];
    const EventRow& y = b.events[i];
    EXPECT_EQ(std::tie(x.time_s, x.rank, x.kind, x.text), std::tie(y.time_s, y.rank, y.kind, y.text));
  }
}

int run_shell(const std::string& command) {
  return std::system((command + " </dev/null").c_str());
}

class Record : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  void write_text(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(Record, ComesBackAsItWas) {
  const JobRecord record = example(10000);
  write_record(path("r.h5"), record);
  const JobRecord back = read_record(path("r.h5"));
  expect_equal(back, record);
  auto job = record.job;
  job[2].first = "style.2";
  EXPECT_EQ(back.job, job);
}

TEST_F(Record, EmptyComesBackEmpty) {
  write_record(path("r.h5"), {});
  expect_equal(read_record(path("r.h5")), {});
  EXPECT_TRUE(read_record(path("r.h5")).job.empty());
}

TEST_F(Record, ReplacesAnOlderOne) {
  write_record(path("r.h5"), example(5000));
  write_record(path("r.h5"), example(1));
  EXPECT_EQ(read_record(path("r.h5")).frames.size(), 1U);
}

TEST_F(Record, GrowsByAtMost128BytesAFrame) {
  // Times as a real job's: noise, which gzip cannot shorten.
  JobRecord record = example(20000);
  std::mt19937 random(7);
  std::uniform_real_distribution<float> seconds(0, 1);
  for (FrameRow& row : record.frames) {
    for (double* value : {&row.done_s, &row.decoded_s, &row.sent_s, &row.received_s, &row.style_begin_s,
                          &row.encode_begin_s}) {
      *value = static_cast<double>(seconds(random)) * 1000.1;
    }
    for (float* value : {&row.decode_s, &row.transfer_s, &row.convert_s, &row.style_s, &row.encode_s}) {
      *value = seconds(random);
    }
  }
  write_record(path("none.h5"), example(0));
  write_record(path("many.h5"), record);
  const auto growth_bytes =
      std::filesystem::file_size(path("many.h5")) - std::filesystem::file_size(path("none.h5"));
  EXPECT_LE(growth_bytes, 20000U * 128U);
}

TEST_F(Record, SameRecordSameBytes) {
  write_record(path("a.h5"), example(100));
  write_record(path("b.h5"), example(100));
  EXPECT_TRUE(std::ranges::equal(read_file(path("a.h5")).bytes(), read_file(path("b.h5")).bytes()));
}

TEST_F(Record, OpensInH5dump) {
  if (run_shell("command -v h5dump >/dev/null") != 0) GTEST_SKIP() << "h5dump is not installed";
  write_record(path("r.h5"), example(3));
  const std::string dump = path("dump.txt").string();
  ASSERT_EQ(run_shell(concat("h5dump '", path("r.h5").string(), "' >'", dump, "' 2>&1")), 0);
  const Buffer bytes = read_file(dump);
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const char* part :
       {"GROUP \"job\"", "DATASET \"ranks\"", "DATASET \"chunks\"", "DATASET \"frames\"",
        "DATASET \"events\"", "\"pts_ticks\"", "ATTRIBUTE \"style_s.units\"", "NVIDIA H100"}) {
    EXPECT_THAT(text, testing::HasSubstr(part));
  }
}

TEST_F(Record, OpensInH5py) {
  const std::string python = ATELIER_SOURCE_DIR "/.venv/bin/python";
  if (run_shell(python + " -c 'import h5py' 2>/dev/null") != 0) GTEST_SKIP() << "h5py is not installed";
  write_record(path("r.h5"), example(100));
  write_text("look.py", R"(
import sys, h5py
with h5py.File(sys.argv[1]) as f:
    assert f.attrs["format"] == "atelier record", f.attrs["format"]
    assert f.attrs["format_version"] == 1
    assert f["job"].attrs["input"] == 'Schüler "1".mkv'
    assert f["job"].attrs["wall_s"] == 12.5
    frames = f["frames"][:]
    assert len(frames) == 100 and frames["pts_ticks"][99] == -3 + 99 * 1001 and frames["style_s"][5] == 0.25
    assert f["frames"].attrs["decode_s.units"] == "s"
    assert f["ranks"][1]["device"].decode() == "NVIDIA H100 80GB HBM3"
    assert f["ranks"][1]["peak_memory_bytes"] == 1 << 40
    assert f["chunks"][1]["num_tries"] == 3
    assert f["events"][0]["kind"] == b"warning" and len(f["events"][1]["text"]) == 5000
)");
  EXPECT_EQ(run_shell(concat(python, " '", path("look.py").string(), "' '", path("r.h5").string(), "'")), 0);
}

TEST_F(Record, SaysWhatIsWrongWithAFile) {
  const auto message_of = [&](const std::string& name) -> std::string {
    try {
      (void)read_record(path(name));
    } catch (const UsageError& error) {
      return error.what();
    }
    return "no error";
  };
  write_text("text.h5", "This is no HDF5 file, but long enough to be looked at by the library. " +
                            std::string(5000, '.'));
  write_text("empty.h5", "");
  write_record(path("whole.h5"), example(5000));
  const Buffer whole = read_file(path("whole.h5"));
  write_file_once(path("cut.h5"), whole.bytes().first(whole.size() / 2));
  for (const char* name : {"text.h5", "empty.h5", "cut.h5"}) {
    EXPECT_THAT(message_of(name),
                testing::AllOf(testing::HasSubstr(name), testing::HasSubstr("is not a record")));
  }
  EXPECT_THAT(message_of("missing.h5"), testing::HasSubstr("missing.h5"));
}

TEST_F(Record, SaysWhatCannotBeWritten) {
  try {
    write_record(path("no/such/folder/r.h5"), example(1));
    FAIL() << "no error";
  } catch (const JobError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("no/such/folder/r.h5"));
  }
}

TEST(Hdf5, LocksNoFiles) {
  EXPECT_STREQ(std::getenv("HDF5_USE_FILE_LOCKING"), "FALSE");
}

TEST(LibraryVersions, NameHdf5) {
  EXPECT_THAT(library_versions(), testing::StartsWith("HDF5 1."));
}

}  // namespace
}  // namespace atelier::io
