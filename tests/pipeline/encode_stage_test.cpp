#include "encode_stage.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "atelier/base/stopwatch.h"
#include "gray_encoder.h"

namespace atelier::pipeline {
namespace {

FramePlanes frame(std::int64_t index, std::int64_t pts_ticks) {
  FramePlanes frame;
  frame.info.frame_index = index;
  frame.info.pts_ticks = pts_ticks;
  frame.planes = Buffer(std::size_t{640} * 480);
  std::ranges::fill(frame.planes.bytes(), static_cast<std::byte>(index));
  return frame;
}

std::optional<EncodedChunk> wait_for_chunk(EncodeStage& stage, double limit_s) {
  const Stopwatch watch;
  std::optional<EncodedChunk> chunk;
  while (!chunk && watch.seconds_s() < limit_s) {
    chunk = stage.try_pop();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return chunk;
}

// Also while a thread is at work on it.
TEST(EncodeStage, ADroppedChunkBeginsAnew) {
  for (int delay_us = 0; delay_us < 4000; delay_us += 400) {
    EncodeStage stage(gray_encoder(640, 480), 2);
    for (int i = 0; i < 3; ++i) stage.add(7, 50, frame(50 + i, 1000 + i));
    std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
    stage.drop(7);
    for (int i = 0; i < 2; ++i) stage.add(7, 60, frame(60 + i, 2000 + i));
    stage.set_end({7, 60, 62});
    const std::optional<EncodedChunk> chunk = wait_for_chunk(stage, 20);
    ASSERT_TRUE(chunk) << "dropped after " << delay_us << " us";
    EXPECT_EQ(chunk->segment.first_frame, 60);
    ASSERT_EQ(chunk->segment.packets.size(), 2U);
    EXPECT_EQ(chunk->segment.packets[0].pts_ticks, 2000);
    EXPECT_FALSE(wait_for_chunk(stage, 0.01));
  }
}

}  // namespace
}  // namespace atelier::pipeline
