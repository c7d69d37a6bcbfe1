// Writes the seeds of the fuzzers: fuzz_seeds FOLDER (tests/fuzz/corpus).
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/handle.h"
#include "atelier/io/job_state.h"
#include "atelier/io/live_status.h"
#include "atelier/io/segment_file.h"
#include "atelier/media/packet_chunk.h"
#include "atelier/pipeline/decoding_protocol.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/pipeline/protocol.h"
#include "io/segments.h"

namespace {

namespace fs = std::filesystem;
namespace io = atelier::io;
namespace pipeline = atelier::pipeline;

io::JobState example_state() {
  io::JobState state;
  state.program_version = "0.1.0";
  state.start_id = "start1";
  state.host = "machine-7";
  state.pid = 4711;
  state.fingerprint.add("--crf", "18");
  state.output = "out.mkv";
  state.status = io::JobStatus::interrupted;
  state.exit_code = 75;
  state.frames_total = 1000;
  state.started = "2026-01-31T12:34:56Z";
  state.updated = state.started;
  state.sequence = 9;
  return state;
}

class Seeds {
 public:
  explicit Seeds(fs::path folder) : folder_(std::move(folder)) {}
  void write(const std::string& target, const std::string& name, std::span<const std::byte> bytes) {
    fs::create_directories(folder_ / target);
    atelier::write_file_once(folder_ / target / name, bytes);
  }
  void write_message(char kind, const std::string& name, const atelier::Buffer& bytes) {
    std::vector<std::byte> message{static_cast<std::byte>(kind)};
    message.insert(message.end(), bytes.bytes().begin(), bytes.bytes().end());
    write("protocol", name, message);
  }

 private:
  fs::path folder_;
};

void write_segments(Seeds& seeds) {
  seeds.write("segment", "whole", io::serialise_segment(io::example_segment()).bytes());
  io::StoredSegment least;
  least.frames.resize(1);
  seeds.write("segment", "least", io::serialise_segment(least).bytes());
}

void write_states(Seeds& seeds) {
  const atelier::Buffer whole = io::serialise_state(example_state());
  seeds.write("state", "whole", whole.bytes());
  // Without the last member: the fuzzer adds one with the right hash.
  const std::string text(reinterpret_cast<const char*>(whole.data()), whole.size());
  const std::string body = text.substr(0, text.rfind(",\n"));
  seeds.write("state", "body", std::as_bytes(std::span(body)));
  std::string newer = body;
  newer.replace(newer.find("\"format_version\": 1"), 19, "\"format_version\": 2");
  seeds.write("state", "newer", std::as_bytes(std::span(newer)));
}

void write_live_status(Seeds& seeds) {
  io::LiveStatus status;
  status.state = io::LiveState::running;
  status.frames_total = 5;
  status.events = {{1.5, 2, "retry", "a sentence"}};
  const atelier::Buffer whole = io::serialise_live_status(status);
  const std::string text(reinterpret_cast<const char*>(whole.data()), whole.size());
  const std::string body = text.substr(0, text.rfind(",\n"));
  seeds.write("state", "live", std::as_bytes(std::span(body)));
}

void write_messages(Seeds& seeds) {
  seeds.write_message(
      'h', "hello",
      pipeline::pack(pipeline::WorkerHello{"host", "atelier 0.1.0", {"host", "boot", "pid:[1]", 4711, 99}}));
  seeds.write_message('r', "ready", pipeline::pack(pipeline::WorkerReady{"CPU", "avx2", 2}));
  seeds.write_message('g', "goodbye",
                      pipeline::pack(pipeline::WorkerGoodbye{48, 1.5, 1 << 20, 2.5, 0.5, 1 << 30, 1 << 29}));
  seeds.write_message('t', "times",
                      pipeline::pack(pipeline::ChunkTimes{0.5, {{1, 0.1F, 0.2F, 0.3F, 0.4F, 0.1, 0.2}}}));
  // A count that no whole number of the library's holds: undefined if it is converted unasked.
  seeds.write_message(
      'g', "fraction",
      pipeline::pack(std::string(R"({"busy_s":1.5,"num_frames":1e300,"peak_memory_bytes":1})")));
  atelier::FrameInfo info;
  info.side_data = io::some_bytes(5, 4);
  seeds.write_message('f', "frame_info", pipeline::pack(info));
  seeds.write_message(
      'c', "encoded_chunk",
      pipeline::pack(pipeline::EncodedChunk{io::example_segment().segment, {0.1F, 0.2F, 0.3F}}));
  atelier::media::EncoderConfig encoder;
  encoder.encoder = "libx264";
  encoder.options = {{"crf", "18"}};
  encoder.pixel_format = "yuv420p";
  seeds.write_message('e', "encoder", pipeline::pack(encoder));
  seeds.write_message('d', "decoded_chunk",
                      pipeline::pack(pipeline::DecodedChunk{"a frame is missing", 7, 60}));
  const std::vector<std::byte> bytes = io::some_bytes(9, 5);
  atelier::media::PacketChunk packets;
  packets.chunk = {2, 6, 8};
  packets.pts_ticks = {100, 120};
  packets.entry_pts_ticks = 80;
  packets.num_packets_before_entry = 1;
  packets.packets = {{40, 20, 20, 1, bytes, {}}, {80, 60, 20, 1, bytes, bytes}, {120, 80, 20, 0, bytes, {}}};
  seeds.write_message('p', "packet_chunk", atelier::media::pack(packets));
  atelier::media::DecoderSetup decoder;
  decoder.parameters = {{"codec_id", 27}, {"width", 640}};
  decoder.extradata = bytes;
  decoder.first.pixel_format = decoder.format.pixel_format = "yuv420p";
  seeds.write_message('v', "decoder_setup", atelier::media::pack(decoder));
  seeds.write_message('x', "text", pipeline::pack(std::string("a sentence")));
  pipeline::WorkerSetup setup;
  setup.format.pixel_format = "yuv420p";
  setup.engine.kind = "identity";
  setup.engine.weights = atelier::Buffer(io::some_bytes(8, 1));
  setup.engine.style = atelier::Buffer(io::some_bytes(4, 2));
  setup.encoder = atelier::Buffer(io::some_bytes(6, 3));
  setup.decoder = atelier::Buffer(io::some_bytes(5, 4));
  seeds.write_message('s', "setup", pipeline::pack(setup));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  Seeds seeds(argv[1]);
  write_segments(seeds);
  write_states(seeds);
  write_live_status(seeds);
  write_messages(seeds);
  return 0;
}
