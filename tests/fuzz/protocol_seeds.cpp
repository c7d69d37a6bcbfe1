#include "atelier/media/packet_chunk.h"
#include "atelier/pipeline/decoding_protocol.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/pipeline/protocol.h"
#include "io/segments.h"
#include "packet_hash.h"
#include "seeds.h"
#include "side_data_entries.h"

namespace atelier::fuzz {
namespace {

using pipeline::pack;

/// kind: the byte by which the fuzzer chooses what to unpack.
void write_message(const Seeds& seeds, char kind, const std::string& name, std::span<const std::byte> bytes) {
  std::vector<std::byte> message{static_cast<std::byte>(kind)};
  message.insert(message.end(), bytes.begin(), bytes.end());
  seeds.write(name, message);
}

void write_greetings(const Seeds& seeds) {
  const Buffer hello = pack(pipeline::WorkerHello{
      "host", "atelier 0.1.0", {"GPU-1", "GPU-2"}, {"host", "boot", "pid:[1]", 4711, 99}});
  write_message(seeds, 'h', "hello", hello.bytes());
  write_message(seeds, 'h', "hello_cut", hello.bytes().first(hello.size() / 2));
  seeds.write("hello_gpus_no_list", "h" + replaced(text_of(hello), "[\"GPU-1\",\"GPU-2\"]", "7"));
  const Buffer ready = pack(pipeline::WorkerReady{"CPU", "avx2", 2, 1, 3.5, "SSE2"});
  write_message(seeds, 'r', "ready", ready.bytes());
  // No whole number, and one that is too large: undefined if they are converted unasked.
  seeds.write("ready_fraction", "r" + replaced(text_of(ready), "\"num_threads\":2", "\"num_threads\":1e300"));
  seeds.write("ready_large",
              "r" + replaced(text_of(ready), "\"num_threads\":2", "\"num_threads\":3000000000"));
  write_message(seeds, 'g', "goodbye",
                pack(pipeline::WorkerGoodbye{48, 1.5, 1 << 20, 2.5, 0.5, 1 << 30, 1 << 29}).bytes());
  seeds.write("fraction", std::string(R"(g{"busy_s":1.5,"num_frames":1e300,"peak_memory_bytes":1})"));
  seeds.write("text", std::string("xa sentence"));
}

void write_setup(const Seeds& seeds) {
  pipeline::WorkerSetup setup;
  setup.format.pixel_format = "yuv420p";
  setup.engine.kind = "identity";
  setup.engine.weights = Buffer(io::some_bytes(8, 1));
  setup.engine.style = Buffer(io::some_bytes(4, 2));
  setup.encoder = Buffer(io::some_bytes(6, 3));
  setup.decoder = Buffer(io::some_bytes(5, 4));
  setup.log_dir = "logs";
  setup.log_name = "n\xe4me";
  setup.simulated_processor = "B";
  const Buffer whole = pack(setup);
  write_message(seeds, 's', "setup", whole.bytes());
  write_message(seeds, 's', "setup_cut", whole.bytes().first(whole.size() - 1));
  write_message(seeds, 's', "setup_header_cut", whole.bytes().first(20));
  write_message(seeds, 's', "setup_least", whole.bytes().first(4));
  seeds.write("setup_long", "s" + text_of(whole) + "!");
  setup.device = tensor::Device{tensor::DeviceKind::cuda, 3};
  write_message(seeds, 's', "setup_gpu", pack(setup).bytes());
  setup.device.reset();
  write_message(seeds, 's', "setup_helper", pack(setup).bytes());
}

void write_encoding(const Seeds& seeds) {
  FrameInfo info;
  info.side_data = io::some_bytes(5, 4);
  write_message(seeds, 'f', "frame_info", pack(info).bytes());
  pipeline::EncodedChunk chunk{io::example_segment().segment, {0.1F, 0.2F, 0.3F}};
  chunk.begin_s = {1.1, 1.2};
  const Buffer encoded = pack(chunk);
  write_message(seeds, 'c', "encoded_chunk", encoded.bytes());
  write_message(seeds, 'c', "encoded_chunk_count", with_number(encoded.bytes(), 0, std::uint64_t{1} << 60));
  media::EncoderConfig encoder;
  encoder.encoder = "libx264";
  encoder.options = {{"crf", "18"}};
  encoder.pixel_format = "yuv420p";
  encoder.known_losses = {1, 21};
  encoder.stream_side_data = media::pack_entries({{5, io::some_bytes(4, 1)}});
  write_message(seeds, 'e', "encoder", pack(encoder).bytes());
  write_message(seeds, 't', "times",
                pack(pipeline::ChunkTimes{0.5, {{1, 0.1F, 0.2F, 0.3F, 0.4F, 0.1, 0.2}}}).bytes());
  seeds.write("times_cut", std::string("t12345678 and half a row"));
}

void write_decoding(const Seeds& seeds) {
  write_message(seeds, 'd', "decoded_chunk",
                pack(pipeline::DecodedChunk{"a frame is missing", 7, 60}).bytes());
  const std::vector<std::byte> bytes = io::some_bytes(9, 5);
  media::PacketChunk chunk;
  chunk.chunk = {2, 6, 8};
  chunk.pts_ticks = {100, 120};
  chunk.entry_pts_ticks = 80;
  chunk.num_packets_before_entry = 1;
  chunk.packets = {{40, 20, 20, 1, bytes, {}}, {80, 60, 20, 1, bytes, bytes}, {120, 80, 20, 0, bytes, {}}};
  const auto write = [&](const std::string& name) {
    write_message(seeds, 'p', name, media::pack(chunk).bytes());
  };
  write("packet_chunk");
  chunk.num_packets_before_entry = 3;
  write("packet_chunk_without_entry");
  chunk.pts_ticks = {120, 100};
  write("packet_chunk_times_back");
  chunk.pts_ticks = {100};
  write("packet_chunk_frames_differ");
  media::DecoderSetup decoder;
  decoder.parameters = {{"codec_id", 27}, {"width", 640}};
  decoder.extradata = bytes;
  decoder.first.pixel_format = decoder.format.pixel_format = "yuv420p";
  write_message(seeds, 'v', "decoder_setup", media::pack(decoder).bytes());
}

void write_parts(const Seeds& seeds) {
  const std::vector<std::byte> entries =
      media::pack_entries({{1, io::some_bytes(3, 6)}, {20, {}}, {7, io::some_bytes(9, 7)}});
  write_message(seeds, 'i', "side_data", entries);
  write_message(seeds, 'i', "side_data_cut", std::span(entries).first(entries.size() - 1));
  write_message(seeds, 'i', "side_data_header_cut", std::span(entries).first(3));
  write_message(seeds, 'k', "packet_hash", pipeline::pack_packet_hash(0x0123456789abcdefU));
  seeds.write("packet_hash_version", std::string("k\x02"
                                                 "12345678"));
}

}  // namespace

void write_protocol_seeds(const Seeds& seeds) {
  write_greetings(seeds);
  write_setup(seeds);
  write_encoding(seeds);
  write_decoding(seeds);
  write_parts(seeds);
}

}  // namespace atelier::fuzz
