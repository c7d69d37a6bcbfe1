#include "atelier/pipeline/worker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <thread>

#include "atelier/base/error.h"
#include "atelier/base/stopwatch.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/pipeline/protocol.h"
#include "atelier/transport/loopback_communicator.h"
#include "gray_encoder.h"

namespace atelier::pipeline {
namespace {

using transport::Message;
using transport::MessageHeader;

// Fails for frames that are brighter than a limit.
class FussyEngine final : public models::StyleEngine {
 public:
  at::Tensor stylise(const at::Tensor& frames) override {
    if (frames.mean().item<float>() > 0.5F) throw JobError("too bright");
    return frames;
  }
};

// libtorch refuses it, with a stack trace.
class MisshapenEngine final : public models::StyleEngine {
 public:
  at::Tensor stylise(const at::Tensor& frames) override { return frames.view({5}); }
};

// The root's part, played by the test: sends, and waits for what comes.
class Root {
 public:
  explicit Root(EngineFactory factory)
      : pair_(transport::make_loopback()), worker_([this, factory] {
          run_worker(*pair_.worker, {.make_engine = factory, .own_process = false});
        }) {}
  ~Root() { worker_.join(); }

  void send(MessageKind kind, MessageHeader header = {}, Buffer payload = {}) {
    header.kind = static_cast<std::int32_t>(kind);
    (void)pair_.root->send(1, header, std::move(payload));
  }

  Message receive(MessageKind expected) {
    const Stopwatch watch;
    while (watch.seconds_s() < 20) {
      if (auto message = pair_.root->poll()) {
        if (message->header.kind == static_cast<std::int32_t>(MessageKind::pong)) continue;
        EXPECT_EQ(message->header.kind, static_cast<std::int32_t>(expected));
        return std::move(*message);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ADD_FAILURE() << "nothing came for 20 s";
    return {};
  }

  void set_up(bool encode = false, bool style = true) {
    receive(MessageKind::hello);
    WorkerSetup setup;
    setup.format.model = ColorModel::gray;
    setup.format.width_px = 4;
    setup.format.height_px = 3;
    setup.format.range = ColorRange::full;
    if (!style) setup.device.reset();
    setup.credits = 5;
    if (encode) {
      setup.format.pixel_format = "gray";
      setup.encoder = pack(gray_encoder(setup.format.width_px, setup.format.height_px));
    }
    send(MessageKind::setup, {}, pack(setup));
  }

  void send_frame(std::int64_t chunk, std::int64_t frame, int value) {
    send(MessageKind::frame, {.chunk_index = chunk, .frame_index = frame},
         pack(std::string(12, static_cast<char>(value))));
  }

  void stop() {
    send(MessageKind::stop);
    receive(MessageKind::goodbye);
  }

 private:
  transport::LoopbackPair pair_;
  std::thread worker_;
};

EngineFactory fussy() {
  return [](const models::EngineSpec&, tensor::Device) { return std::make_unique<FussyEngine>(); };
}

TEST(Worker, StylesAChunkAndSaysGoodbye) {
  Root root(fussy());
  root.set_up();
  const Message ready = root.receive(MessageKind::ready);
  EXPECT_EQ(ready.header.flags, 5);
  EXPECT_GE(unpack_ready(ready.payload).num_threads, 1);
  root.send(MessageKind::chunk_begin, {.chunk_index = 7});
  for (int frame = 0; frame < 4; ++frame) root.send_frame(7, frame, 10 + frame);
  std::map<std::int64_t, std::string> styled;
  for (int i = 0; i < 4; ++i) {
    const Message message = root.receive(MessageKind::styled);
    EXPECT_EQ(message.header.chunk_index, 7);
    styled[message.header.frame_index] = unpack_text(message.payload);
  }
  for (int frame = 0; frame < 4; ++frame)
    EXPECT_EQ(styled[frame], std::string(12, static_cast<char>(10 + frame)));
  root.send(MessageKind::chunk_end, {.chunk_index = 7});
  const Message done = root.receive(MessageKind::chunk_done);
  EXPECT_EQ(done.header.flags, 0);
  EXPECT_EQ(unpack_times(done.payload).frames.size(), 4U);
  root.stop();
}

TEST(Worker, GivesBackWhatItCouldNotStyle) {
  Root root(fussy());
  root.set_up();
  root.receive(MessageKind::ready);
  root.send(MessageKind::chunk_begin, {.chunk_index = 0});
  root.send_frame(0, 0, 200);
  root.send_frame(0, 1, 10);
  root.send_frame(0, 2, 201);
  root.send(MessageKind::chunk_end, {.chunk_index = 0});
  EXPECT_EQ(root.receive(MessageKind::styled).header.frame_index, 1);
  const Message done = root.receive(MessageKind::chunk_done);
  EXPECT_EQ(done.header.flags, 2);
  EXPECT_EQ(unpack_times(done.payload).frames.size(), 1U);
  std::map<std::int64_t, std::string> returned;
  for (int i = 0; i < 2; ++i) {
    const Message message = root.receive(MessageKind::returned);
    returned[message.header.frame_index] = unpack_text(message.payload);
  }
  EXPECT_EQ(returned[0], std::string(12, static_cast<char>(200)));
  EXPECT_EQ(returned[2], std::string(12, static_cast<char>(201)));
  const Message failed = root.receive(MessageKind::chunk_failed);
  EXPECT_NE(unpack_text(failed.payload).find("too bright"), std::string::npos);
  // It goes on with the next chunk.
  root.send(MessageKind::chunk_begin, {.chunk_index = 1});
  root.send_frame(1, 3, 10);
  root.send(MessageKind::chunk_end, {.chunk_index = 1});
  EXPECT_EQ(root.receive(MessageKind::styled).header.frame_index, 3);
  EXPECT_EQ(root.receive(MessageKind::chunk_done).header.flags, 0);
  root.stop();
}

TEST(Worker, TellsOfLibtorchsErrorsInOneLine) {
  Root root([](const models::EngineSpec&, tensor::Device) { return std::make_unique<MisshapenEngine>(); });
  root.set_up();
  root.receive(MessageKind::ready);
  root.send(MessageKind::chunk_begin, {.chunk_index = 0});
  root.send_frame(0, 0, 10);
  root.send(MessageKind::chunk_end, {.chunk_index = 0});
  root.receive(MessageKind::chunk_done);
  root.receive(MessageKind::returned);
  const std::string text = unpack_text(root.receive(MessageKind::chunk_failed).payload);
  EXPECT_NE(text.find("invalid for input of size"), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  root.stop();
}

// The chunk waits at its encoder for a frame that another worker styles.
TEST(Worker, EncodesItsChunk) {
  Root root(fussy());
  root.set_up(true);
  EXPECT_GE(root.receive(MessageKind::ready).header.flags, 5);
  root.send(MessageKind::chunk_begin, {.flags = 1, .chunk_index = 2, .frame_index = 20});
  root.send(MessageKind::encode, {.chunk_index = 2, .frame_index = 20});
  for (int i = 0; i < 3; ++i) {
    FrameInfo info;
    info.frame_index = 20 + i;
    info.pts_ticks = 100 + 3 * i;
    root.send(MessageKind::frame_info, {.chunk_index = 2}, pack(info));
    root.send_frame(2, 20 + i, i == 1 ? 200 : 10);
  }
  root.send(MessageKind::encode, {.flags = 3, .chunk_index = 2, .frame_index = 20});
  root.send(MessageKind::chunk_end, {.chunk_index = 2});
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(root.receive(MessageKind::styled).payload.empty());
  EXPECT_EQ(root.receive(MessageKind::chunk_done).header.flags, 1);
  EXPECT_EQ(root.receive(MessageKind::returned).header.frame_index, 21);
  root.receive(MessageKind::chunk_failed);
  root.send(MessageKind::to_encode, {.chunk_index = 2, .frame_index = 21}, pack(std::string(12, 'x')));
  const EncodedChunk encoded = unpack_encoded_chunk(root.receive(MessageKind::segment).payload);
  EXPECT_EQ(encoded.segment.chunk_index, 2);
  EXPECT_EQ(encoded.segment.first_frame, 20);
  EXPECT_EQ(encoded.encode_s.size(), 3U);
  ASSERT_EQ(encoded.segment.packets.size(), 3U);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(encoded.segment.packets[static_cast<std::size_t>(i)].pts_ticks, 100 + 3 * i);
  root.stop();
}

// What the root and the workers that style send comes in any order.
TEST(Worker, HelpsToEncodeWithoutStyling) {
  Root root(fussy());
  root.set_up(true, false);
  const Message ready = root.receive(MessageKind::ready);
  EXPECT_EQ(ready.header.flags, 0);
  EXPECT_EQ(unpack_ready(ready.payload).num_threads, 0);
  EXPECT_GE(unpack_ready(ready.payload).num_encoders, 1);
  const auto send_planes = [&](int frame) {
    root.send(MessageKind::to_encode, {.chunk_index = 4, .frame_index = frame}, pack(std::string(12, 'x')));
  };
  const auto send_info = [&](int frame) {
    FrameInfo info;
    info.frame_index = frame;
    info.pts_ticks = 2 * frame;
    root.send(MessageKind::frame_info, {.chunk_index = 4}, pack(info));
  };
  // A chunk that is dropped leaves nothing behind.
  root.send(MessageKind::encode, {.chunk_index = 4, .frame_index = 38});
  send_info(38);
  send_planes(38);
  send_planes(39);
  root.send(MessageKind::drop, {.chunk_index = 4});
  EXPECT_EQ(root.receive(MessageKind::dropped).header.chunk_index, 4);
  send_planes(41);
  send_info(40);
  root.send(MessageKind::encode, {.chunk_index = 4, .frame_index = 40});
  send_planes(40);
  root.send(MessageKind::encode, {.flags = 2, .chunk_index = 4, .frame_index = 40});
  send_info(41);
  const EncodedChunk encoded = unpack_encoded_chunk(root.receive(MessageKind::segment).payload);
  EXPECT_EQ(encoded.segment.first_frame, 40);
  ASSERT_EQ(encoded.segment.packets.size(), 2U);
  EXPECT_EQ(encoded.segment.packets[0].pts_ticks, 80);
  EXPECT_EQ(encoded.segment.packets[1].pts_ticks, 82);
  root.stop();
}

TEST(Worker, TellsTheRootWhyItCannotStart) {
  Root root([](const models::EngineSpec&, tensor::Device) -> std::unique_ptr<models::StyleEngine> {
    throw UsageError("these weights are of another network");
  });
  root.set_up();
  const Message failure = root.receive(MessageKind::failure);
  EXPECT_EQ(failure.header.flags, static_cast<std::int32_t>(ExitCode::usage));
  EXPECT_NE(unpack_text(failure.payload).find("another network"), std::string::npos);
  root.stop();
}

TEST(Worker, LeavesWithoutAJob) {
  Root root(fussy());
  root.receive(MessageKind::hello);
  root.stop();
}

}  // namespace
}  // namespace atelier::pipeline
