#include "atelier/pipeline/run.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "atelier/base/handle.h"
#include "atelier/base/text.h"
#include "atelier/io/record.h"
#include "atelier/io/state_store.h"

namespace atelier::pipeline {
namespace {

namespace fs = std::filesystem;

// A clip of 30 frames with sound, made once.
const fs::path& clip() {
  static const TemporaryFolder folder("atelier-run-test");
  static const fs::path path = [] {
    const fs::path file = folder.path() / "clip.mkv";
    const std::string command = concat(
        "ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=66x50:r=25:d=1.2 -f lavfi -i sine=d=1.2 -c:v ffv1 "
        "-pix_fmt yuv420p -c:a pcm_s16le ",
        file.string(), " </dev/null");
    EXPECT_EQ(std::system(command.c_str()), 0);
    return file;
  }();
  return path;
}

class Run : public testing::Test {
 protected:
  RunConfig config(const std::string& name) {
    RunConfig config;
    config.input = clip();
    config.output = folder_.path() / name;
    config.record = folder_.path() / (name + ".h5");
    config.engine = "identity";
    config.codec = "ffv1";
    config.device = "cpu";
    config.chunk_frames = 7;
    return config;
  }
  static std::string bytes(const fs::path& path) {
    const Buffer buffer = read_file(path);
    return {reinterpret_cast<const char*>(buffer.data()), buffer.size()};
  }
  static std::string attribute(const io::JobRecord& record, const std::string& name) {
    for (const auto& [key, value] : record.job)
      if (key == name) return value;
    return "none";
  }
  // What lies in the folder, but for records.
  std::set<std::string> files() {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      if (entry.path().extension() != ".h5") names.insert(entry.path().filename().string());
    return names;
  }

  TemporaryFolder folder_{"atelier-run-test"};
};

// Fails the first time it sees a frame, for every second frame.
class FlakyEngine final : public models::StyleEngine {
 public:
  struct Seen {
    std::mutex mutex;
    std::set<float> means;
  };
  explicit FlakyEngine(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) {}
  at::Tensor stylise(const at::Tensor& frames) override {
    const std::lock_guard lock(seen_->mutex);
    const bool fresh = seen_->means.insert(frames.mean().item<float>()).second;
    if (fresh && seen_->means.size() % 2 == 0) throw JobError("flaky");
    return frames;
  }

 private:
  std::shared_ptr<Seen> seen_;
};

class BrokenEngine final : public models::StyleEngine {
 public:
  at::Tensor stylise(const at::Tensor& /*frames*/) override { throw JobError("broken"); }
};

TEST_F(Run, WritesVideoAndRecord) {
  const RunConfig c = config("plain.mkv");
  ASSERT_EQ(run_job(c, {}), ExitCode::done);
  const io::JobRecord record = io::read_record(c.record);
  EXPECT_EQ(attribute(record, "outcome"), "done");
  ASSERT_EQ(record.frames.size(), 30U);
  ASSERT_EQ(record.chunks.size(), 5U);
  EXPECT_EQ(record.chunks[4].first_frame, 28);
  EXPECT_EQ(record.chunks[4].end_frame, 30);
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(record.frames[i].frame_index, static_cast<std::int64_t>(i));
    EXPECT_EQ(record.frames[i].chunk_index, static_cast<std::int32_t>(i / 7));
    EXPECT_GT(record.frames[i].convert_s, 0);
    EXPECT_GT(record.frames[i].encode_s, 0);
  }
  ASSERT_EQ(record.ranks.size(), 1U);
  EXPECT_EQ(record.ranks[0].num_frames, 30);
  EXPECT_EQ(files(), (std::set<std::string>{"plain.mkv", "plain.mkv.status.json"}));
}

TEST_F(Run, GivesTheSameBytesWhenChunksAreStyledAgain) {
  const RunConfig plain = config("plain.mkv");
  ASSERT_EQ(run_job(plain, {}), ExitCode::done);
  for (const char* encode : {"root", "workers"}) {
    SCOPED_TRACE(encode);
    RunConfig flaky = config(concat("flaky_", encode, ".mkv"));
    flaky.encode = encode;
    const auto seen = std::make_shared<FlakyEngine::Seen>();
    RunServices services;
    services.make_engine = [seen](const models::EngineSpec&, tensor::Device) {
      return std::make_unique<FlakyEngine>(seen);
    };
    const ExitCode code = run_job(flaky, services);
    ASSERT_EQ(code, ExitCode::done);
    EXPECT_EQ(bytes(flaky.output), bytes(plain.output));
    const io::JobRecord record = io::read_record(flaky.record);
    EXPECT_EQ(attribute(record, "encode_at"), encode);
    EXPECT_EQ(record.frames.size(), 30U);
    int num_retries = 0;
    for (const io::EventRow& event : record.events) num_retries += event.kind == "retry" ? 1 : 0;
    EXPECT_GE(num_retries, 4) << "each whole chunk has a frame that fails at first";
  }
}

// Frames come from packets, fail at first, and go to another encoder's chunk.
TEST_F(Run, GivesTheSameBytesWhereverItDecodes) {
  const RunConfig plain = config("plain.mkv");
  ASSERT_EQ(run_job(plain, {}), ExitCode::done);
  for (const char* encode : {"root", "workers"}) {
    SCOPED_TRACE(encode);
    RunConfig flaky = config(concat("flaky_", encode, ".mkv"));
    flaky.encode = encode;
    flaky.decode = "workers";
    const auto seen = std::make_shared<FlakyEngine::Seen>();
    RunServices services;
    services.make_engine = [seen](const models::EngineSpec&, tensor::Device) {
      return std::make_unique<FlakyEngine>(seen);
    };
    ASSERT_EQ(run_job(flaky, services), ExitCode::done);
    EXPECT_EQ(bytes(flaky.output), bytes(plain.output));
    const io::JobRecord record = io::read_record(flaky.record);
    EXPECT_EQ(attribute(record, "decode_at"), "workers");
    EXPECT_EQ(attribute(record, "decode.frames_used_of_workers"), "30");
    EXPECT_GE(std::stoi(attribute(record, "decode.frames_decoded_by_workers")), 30);
    ASSERT_EQ(record.frames.size(), 30U);
    for (const io::FrameRow& frame : record.frames) EXPECT_GT(frame.decode_s, 0);
  }
}

// What workers decode beyond damage is void, and the root decodes it again.
TEST_F(Run, GoesOnAtTheRootBeyondDamage) {
  const fs::path video = folder_.path() / "damaged.h5";  // the ending keeps it out of files()
  ASSERT_EQ(
      std::system(concat("ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=66x50:r=25:d=6 -pix_fmt yuv420p "
                         "-c:v libx264 -g 10 -bf 2 -f matroska ",
                         video.string(), " </dev/null")
                      .c_str()),
      0);
  Buffer damaged = read_file(video);
  for (std::size_t i = 0; i < 40; ++i) damaged.data()[damaged.size() / 2 + i] ^= std::byte{0x5A};
  fs::remove(video);
  write_file_once(video, damaged.bytes());
  RunConfig plain = config("plain.mkv");
  plain.input = video;
  plain.decode = "root";
  ASSERT_EQ(run_job(plain, {}), ExitCode::done);
  for (const char* encode : {"root", "workers"}) {
    SCOPED_TRACE(encode);
    RunConfig workers = config(concat("workers_", encode, ".mkv"));
    workers.input = video;
    workers.encode = encode;
    workers.decode = "workers";
    ASSERT_EQ(run_job(workers, {}), ExitCode::done);
    EXPECT_EQ(bytes(workers.output), bytes(plain.output));
    const io::JobRecord record = io::read_record(workers.record);
    int num_changes = 0;
    for (const io::EventRow& event : record.events) num_changes += event.kind == "decode" ? 1 : 0;
    EXPECT_EQ(num_changes, 1);
    EXPECT_EQ(record.frames.size(), io::read_record(plain.record).frames.size());
    EXPECT_GT(std::stoi(attribute(record, "decode.frames_used_of_workers")), 20) << "it began at the workers";
  }
}

// The frames behind a missing one wait for it, and must not keep the rest of its chunk from being sent: only
// with the chunk's end does the worker give the missing one back.
TEST_F(Run, StylesALongChunkAgain) {
  const fs::path video = folder_.path() / "long.h5";  // the ending keeps it out of files()
  ASSERT_EQ(
      std::system(
          concat("ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=64x64:r=25:d=16 -c:v ffv1 -f matroska ",
                 video.string(), " </dev/null")
              .c_str()),
      0);
  RunConfig plain = config("plain.mkv");
  RunConfig flaky = config("flaky.mkv");
  plain.input = flaky.input = video;
  plain.chunk_frames = flaky.chunk_frames = 400;
  ASSERT_EQ(run_job(plain, {}), ExitCode::done);
  const auto seen = std::make_shared<FlakyEngine::Seen>();
  RunServices services;
  services.make_engine = [seen](const models::EngineSpec&, tensor::Device) {
    return std::make_unique<FlakyEngine>(seen);
  };
  ASSERT_EQ(run_job(flaky, services), ExitCode::done);
  EXPECT_EQ(bytes(flaky.output), bytes(plain.output));
}

TEST_F(Run, FailsWithARecordAndAStateWhenTheEngineIsBroken) {
  const RunConfig c = config("broken.mkv");
  RunServices services;
  services.make_engine = [](const models::EngineSpec&, tensor::Device) {
    return std::make_unique<BrokenEngine>();
  };
  EXPECT_EQ(run_job(c, services), ExitCode::failed);
  EXPECT_EQ(files(), (std::set<std::string>{"broken.mkv.atelier", "broken.mkv.status.json"}));
  const io::FoundState state = io::find_state(folder_.path() / "broken.mkv.atelier");
  ASSERT_TRUE(state.newest);
  EXPECT_EQ(state.newest->status, io::JobStatus::failed);
  EXPECT_NE(state.newest->message.find("broken"), std::string::npos);
  const io::JobRecord record = io::read_record(c.record);
  EXPECT_EQ(attribute(record, "outcome"), "failed");
  EXPECT_NE(attribute(record, "error").find("broken"), std::string::npos);
}

TEST_F(Run, LeavesNothingUnderTheOutputsNameWhenInterrupted) {
  const RunConfig c = config("interrupted.mkv");
  RunServices services;
  services.interrupted = [] { return 15; };
  EXPECT_EQ(run_job(c, services), ExitCode::interrupted);
  EXPECT_EQ(files(), std::set<std::string>{"interrupted.mkv.status.json"});
  EXPECT_EQ(attribute(io::read_record(c.record), "outcome"), "interrupted");
}

TEST_F(Run, RefusesToReplaceAnOutputUnasked) {
  RunConfig c = config("twice.mkv");
  ASSERT_EQ(run_job(c, {}), ExitCode::done);
  const std::string before = bytes(c.output);
  EXPECT_EQ(run_job(c, {}), ExitCode::usage);
  EXPECT_EQ(bytes(c.output), before);
  c.overwrite = true;
  EXPECT_EQ(run_job(c, {}), ExitCode::done);
  EXPECT_EQ(bytes(c.output), before);
}

TEST_F(Run, RefusesAnInputThatIsTheOutput) {
  RunConfig c = config("same.mkv");
  fs::copy_file(clip(), c.output);
  c.input = c.output;
  c.overwrite = true;
  const std::string before = bytes(c.output);
  EXPECT_EQ(run_job(c, {}), ExitCode::usage);
  EXPECT_EQ(bytes(c.output), before);
}

TEST_F(Run, WritesOneStyledPictureForPreview) {
  RunConfig c = config("preview.png");
  c.preview_s = 0.5;
  ASSERT_EQ(run_job(c, {}), ExitCode::done);
  EXPECT_EQ(files(), std::set<std::string>{"preview.png"});
  EXPECT_EQ(bytes(c.output).substr(1, 3), "PNG");
}

TEST_F(Run, WritesNothingOnADryRun) {
  RunConfig c = config("dry.mkv");
  c.dry_run = true;
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_job(c, {}), ExitCode::done);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("66x50"), std::string::npos);
  EXPECT_TRUE(files().empty());
}

}  // namespace
}  // namespace atelier::pipeline
