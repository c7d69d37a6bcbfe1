#include "worker_encoders.h"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <functional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "atelier/base/stopwatch.h"
#include "gray_encoder.h"

namespace atelier::pipeline {
namespace {

constexpr std::int64_t num_frames = 6;
constexpr std::int64_t num_chunks = 3;

FrameInfo info(std::int64_t frame_index) {
  FrameInfo info;
  info.frame_index = frame_index;
  info.pts_ticks = 100 + frame_index;
  return info;
}

Buffer planes(std::int64_t frame_index) {
  Buffer planes(std::size_t{64} * 48);
  std::ranges::fill(planes.bytes(), static_cast<std::byte>(40 * frame_index));
  return planes;
}

using Sender = std::deque<std::function<void()>>;  // what one rank sends, in its order

void deliver_in_any_order(std::vector<Sender> senders, std::mt19937& random) {
  while (true) {
    std::erase_if(senders, [](const Sender& sender) { return sender.empty(); });
    if (senders.empty()) return;
    Sender& next = senders[random() % senders.size()];
    next.front()();
    next.pop_front();
  }
}

// The root tells where chunks begin and end; two workers style frames, one those that the other failed on.
TEST(WorkerEncoders, MessagesOfDifferentRanksComeInAnyOrder) {
  std::mt19937 random(7);
  WorkerEncoders encoders(gray_encoder(64, 48), 2, {});
  std::vector<std::vector<std::byte>> expected;  // packets of a chunk's frames, which are alike in all runs
  for (int run = 0; run < 60; ++run) {
    std::vector<Sender> senders(3);
    for (std::int64_t chunk = 0; chunk < num_chunks; ++chunk) {
      const std::int64_t first = chunk * num_frames;
      if (random() % 4 == 0) {  // begun by a worker that could not decode it
        encoders.begin(chunk, first);
        for (int i = 0; i < 3; ++i) {
          encoders.add_info(chunk, info(first + i));
          if (random() % 2 == 0) encoders.add_planes(chunk, first + i, planes(first + i + 1));
        }
        encoders.drop(chunk);
      }
      senders[0].push_back([&, chunk, first] { encoders.begin(chunk, first); });
      for (std::int64_t frame = first; frame < first + num_frames; ++frame) {
        senders[0].push_back([&, chunk, frame] { encoders.add_info(chunk, info(frame)); });
        senders[1 + random() % 2].push_back(
            [&, chunk, frame] { encoders.add_planes(chunk, frame, planes(frame)); });
      }
      senders[0].push_back([&, chunk, first] {
        encoders.begin(chunk, first);
        encoders.set_end({chunk, first, first + num_frames});
      });
    }
    for (Sender& sender : senders)
      if (&sender != &senders[0]) std::ranges::shuffle(sender, random);
    deliver_in_any_order(std::move(senders), random);
    std::vector<std::vector<std::byte>> packets(num_chunks * num_frames);
    const Stopwatch watch;
    for (int num_done = 0; num_done < num_chunks && watch.seconds_s() < 20;) {
      const std::optional<EncodedChunk> encoded = encoders.try_pop();
      if (!encoded) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        continue;
      }
      ++num_done;
      ASSERT_EQ(encoded->segment.packets.size(), num_frames);
      EXPECT_EQ(encoded->segment.first_frame, encoded->segment.chunk_index * num_frames);
      for (const SegmentPacket& packet : encoded->segment.packets)
        packets.at(packet.pts_ticks - 100) = packet.data;
    }
    for (const auto& packet : packets) ASSERT_FALSE(packet.empty()) << "run " << run;
    if (expected.empty()) expected = packets;
    ASSERT_EQ(packets, expected) << "run " << run;
  }
}

}  // namespace
}  // namespace atelier::pipeline
