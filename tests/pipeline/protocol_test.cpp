#include "atelier/pipeline/protocol.h"

#include <gtest/gtest.h>

#include <cstring>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "atelier/pipeline/decoding_protocol.h"
#include "atelier/pipeline/encoding_protocol.h"

namespace atelier::pipeline {
namespace {

WorkerSetup example() {
  WorkerSetup setup;
  setup.format.width_px = 641;
  setup.format.height_px = 359;
  setup.format.bit_depth = 10;
  setup.format.siting = ChromaSiting::top_left;
  setup.format.pixel_format = "yuv420p10le";
  setup.engine.kind = "adaptive";
  setup.engine.simulated_ms = 0.7;
  setup.engine.strength = 0.1;  // not exact in binary: the workers must get the same bits
  setup.engine.weights = pack(std::string("weights \0 with a zero", 21));
  setup.engine.style = pack(std::string("style"));
  setup.encoder = pack(std::string("encoder"));
  setup.decoder = pack(std::string("decoder"));
  setup.device = tensor::Device{tensor::DeviceKind::cuda, 3};
  setup.num_workers_here = 5;
  setup.credits = 3;
  setup.log_dir = "l\xffgs";  // names of files need not be UTF-8
  setup.log_name = "n\xe4me";
  return setup;
}

TEST(Protocol, SetupComesBackAsItWas) {
  const WorkerSetup in = example();
  const WorkerSetup out = unpack_setup(pack(in));
  EXPECT_EQ(out.format, in.format);
  EXPECT_EQ(out.engine.kind, in.engine.kind);
  EXPECT_EQ(out.engine.strength, in.engine.strength);
  EXPECT_EQ(out.engine.simulated_ms, 0.7);
  EXPECT_EQ(unpack_text(out.engine.weights), unpack_text(in.engine.weights));
  EXPECT_EQ(unpack_text(out.engine.style), "style");
  EXPECT_EQ(unpack_text(out.encoder), "encoder");
  EXPECT_EQ(unpack_text(out.decoder), "decoder");
  ASSERT_TRUE(out.device);
  EXPECT_EQ(out.device->kind, tensor::DeviceKind::cuda);
  EXPECT_EQ(out.device->index, 3);
  EXPECT_EQ(out.num_workers_here, 5);
  EXPECT_EQ(out.credits, 3);
  EXPECT_EQ(out.log_dir, in.log_dir);
  EXPECT_EQ(out.log_name, in.log_name);
}

TEST(Protocol, AWorkerWithoutADeviceComesBackAsItWas) {
  WorkerSetup setup = example();
  setup.device.reset();
  EXPECT_FALSE(unpack_setup(pack(setup)).device);
}

TEST(Protocol, EveryCutOfASetupIsRefused) {
  const Buffer whole = pack(example());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(unpack_setup(Buffer(whole.bytes().first(size))), JobError) << size;
}

TEST(Protocol, TimesComeBackAsTheyWere) {
  const Buffer packed = pack(ChunkTimes{0.1, {{7, 1, 2, 3, 0, 4, 5}, {8, 4, 5, 6, 7, 0.3, 0.7}}});
  const ChunkTimes out = unpack_times(packed);
  EXPECT_EQ(out.clock_s, 0.1);
  ASSERT_EQ(out.frames.size(), 2U);
  EXPECT_EQ(out.frames[1].frame_index, 8);
  EXPECT_EQ(out.frames[1].style_s, 6);
  EXPECT_EQ(out.frames[1].decode_s, 7);
  EXPECT_EQ(out.frames[1].received_s, 0.3);
  EXPECT_EQ(out.frames[1].style_begin_s, 0.7);
  EXPECT_TRUE(unpack_times(pack(ChunkTimes{})).frames.empty());
  EXPECT_THROW(unpack_times(pack(std::string("abc"))), JobError);
  EXPECT_THROW(unpack_times(Buffer(packed.bytes().first(packed.size() - 1))), JobError);
}

TEST(Protocol, WhatBecameOfAChunkComesBackAsItWas) {
  const DecodedChunk out = unpack_decoded_chunk(pack(DecodedChunk{"a frame is missing", 7, 60}));
  EXPECT_EQ(out.fault, "a frame is missing");
  EXPECT_EQ(out.hash, 7U);
  EXPECT_EQ(out.num_decoded_frames, 60);
  const Buffer whole = pack(out);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(unpack_decoded_chunk(Buffer(whole.bytes().first(size))), JobError) << size;
}

EncodedChunk encoded_example() {
  EncodedChunk chunk;
  chunk.encode_s = {0.25F, 0.5F};
  chunk.begin_s = {1.1, 1.2};
  chunk.flush_begin_s = 1.3;
  chunk.end_s = 1.4;
  chunk.clock_s = 1.5;
  chunk.segment.chunk_index = 3;
  chunk.segment.first_frame = 96;
  chunk.segment.encode_s = 0.1;
  chunk.segment.extradata = {std::byte{1}, std::byte{0}, std::byte{2}};
  chunk.segment.packets.push_back({{std::byte{7}}, -5, 2, true, {}});
  chunk.segment.packets.push_back({{}, 9, 0, false, {std::byte{4}, std::byte{5}}});
  return chunk;
}

TEST(Protocol, SegmentsComeBackAsTheyWere) {
  const EncodedChunk in = encoded_example();
  const EncodedChunk out = unpack_encoded_chunk(pack(in));
  EXPECT_EQ(out.encode_s, in.encode_s);
  EXPECT_EQ(out.begin_s, in.begin_s);
  EXPECT_EQ(out.flush_begin_s, 1.3);
  EXPECT_EQ(out.end_s, 1.4);
  EXPECT_EQ(out.clock_s, 1.5);
  EXPECT_EQ(out.segment.chunk_index, 3);
  EXPECT_EQ(out.segment.first_frame, 96);
  EXPECT_EQ(out.segment.encode_s, 0.1);
  EXPECT_EQ(out.segment.extradata, in.segment.extradata);
  ASSERT_EQ(out.segment.packets.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const SegmentPacket& packet = out.segment.packets[i];
    const SegmentPacket& was = in.segment.packets[i];
    EXPECT_EQ(packet.data, was.data);
    EXPECT_EQ(packet.pts_ticks, was.pts_ticks);
    EXPECT_EQ(packet.duration_ticks, was.duration_ticks);
    EXPECT_EQ(packet.key, was.key);
    EXPECT_EQ(packet.side_data, was.side_data);
  }
}

TEST(Protocol, EveryCutOfASegmentIsRefused) {
  const Buffer whole = pack(encoded_example());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(unpack_encoded_chunk(Buffer(whole.bytes().first(size))), JobError) << size;
}

TEST(Protocol, CountsAreNotBelieved) {
  Buffer bytes = pack(encoded_example());
  const std::uint64_t huge = std::uint64_t{1} << 60;
  std::memcpy(bytes.data(), &huge, sizeof huge);
  EXPECT_THROW(unpack_encoded_chunk(bytes), JobError);
}

TEST(Protocol, FrameInfoComesBackAsItWas) {
  const FrameInfo in{.frame_index = 7,
                     .pts_ticks = -3,
                     .duration_ticks = 2,
                     .interlaced = true,
                     .top_field_first = true,
                     .repeat_pict = 1,
                     .side_data = {std::byte{9}},
                     .decode_s = 0.1};
  const FrameInfo out = unpack_frame_info(pack(in));
  EXPECT_EQ(out.frame_index, 7);
  EXPECT_EQ(out.pts_ticks, -3);
  EXPECT_EQ(out.duration_ticks, 2);
  EXPECT_TRUE(out.interlaced && out.top_field_first);
  EXPECT_EQ(out.repeat_pict, 1);
  EXPECT_EQ(out.side_data, in.side_data);
  EXPECT_EQ(out.decode_s, 0.1);
}

TEST(Protocol, EncoderComesBackAsItWas) {
  media::EncoderConfig in;
  in.encoder = "libx264";
  in.options = {{"crf", "18"}, {"preset", ""}};
  in.pixel_format = "yuv420p10le";
  in.input = example().format;
  in.time_base = {1, 90000};
  in.frame_rate = {30000, 1001};
  in.sample_aspect = {4, 3};
  in.color_primaries = 9;
  in.color_transfer = 16;
  in.color_matrix_tag = 8;
  in.color_range_tag = 7;
  in.chroma_location_tag = 3;
  in.field_order = 4;
  in.num_threads = 5;
  in.global_header = false;
  in.reorder_frames = 6;
  in.stream_side_data = {std::byte{1}, std::byte{2}};
  in.known_losses = {3, 21};
  const media::EncoderConfig out = unpack_encoder(pack(in).bytes());
  EXPECT_EQ(out.encoder, in.encoder);
  EXPECT_EQ(out.options, in.options);
  EXPECT_EQ(out.pixel_format, in.pixel_format);
  EXPECT_EQ(out.input, in.input);
  EXPECT_EQ(out.time_base, in.time_base);
  EXPECT_EQ(out.frame_rate, in.frame_rate);
  EXPECT_EQ(out.sample_aspect, in.sample_aspect);
  EXPECT_EQ(out.color_primaries, 9);
  EXPECT_EQ(out.color_transfer, 16);
  EXPECT_EQ(out.color_matrix_tag, 8);
  EXPECT_EQ(out.color_range_tag, 7);
  EXPECT_EQ(out.chroma_location_tag, 3);
  EXPECT_EQ(out.field_order, 4);
  EXPECT_EQ(out.num_threads, 5);
  EXPECT_FALSE(out.global_header);
  EXPECT_EQ(out.reorder_frames, 6);
  EXPECT_EQ(out.stream_side_data, in.stream_side_data);
  EXPECT_EQ(out.known_losses, in.known_losses);
}

TEST(Protocol, OtherMessagesComeBackAsTheyWere) {
  EXPECT_EQ(unpack_hello(pack(WorkerHello{"host", "build", {"a"}, {"host", "boot", "space", 12, 34}}))
                .process.start_ticks,
            34);
  const WorkerReady ready = unpack_ready(pack(WorkerReady{"device", "AVX2", 3, 2, 1.5, "SSE2"}));
  EXPECT_EQ(ready.capability, "AVX2");
  EXPECT_EQ(ready.encoder_processor, "SSE2");
  const WorkerGoodbye goodbye = unpack_goodbye(pack(WorkerGoodbye{5, 1.5, 99, 2.5, 0.25, 1LL << 40, 7}));
  EXPECT_EQ(goodbye.peak_memory_bytes, 99);
  EXPECT_EQ(goodbye.cpu_s, 2.5);
  EXPECT_EQ(goodbye.message_cpu_s, 0.25);
  EXPECT_EQ(goodbye.bytes_sent, 1LL << 40);
  EXPECT_EQ(goodbye.bytes_received, 7);
  EXPECT_THROW(unpack_hello(pack(std::string("{}"))), JobError);
  EXPECT_THROW(unpack_hello(pack(std::string("{"))), JobError);
  for (const char* number : {"1e300", "1.5", "9223372036854775808", "true", "null"}) {
    const std::string text =
        concat(R"({"num_frames": )", number, R"(, "busy_s": 1, "peak_memory_bytes": 1})");
    EXPECT_THROW(unpack_goodbye(pack(text)), JobError) << number;
  }
}

}  // namespace
}  // namespace atelier::pipeline
