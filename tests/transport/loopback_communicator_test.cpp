#include "atelier/transport/loopback_communicator.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>

#include "atelier/base/error.h"

namespace atelier::transport {
namespace {

Buffer text_buffer(const std::string& text) {
  return Buffer(std::as_bytes(std::span(text)));
}

std::string text_of(const Message& message) {
  return {reinterpret_cast<const char*>(message.payload.data()), message.payload.size()};
}

TEST(LoopbackCommunicator, KnowsItsRanks) {
  const LoopbackPair pair = make_loopback();
  EXPECT_EQ(pair.root->rank(), 0);
  EXPECT_EQ(pair.worker->rank(), 1);
  for (const Communicator* end : {pair.root.get(), pair.worker.get()}) {
    EXPECT_EQ(end->size(), 2);
    EXPECT_EQ(end->local_size(), 2);
    EXPECT_FALSE(end->receiving());
  }
}

TEST(LoopbackCommunicator, CarriesHeaderAndPayload) {
  const LoopbackPair pair = make_loopback();
  EXPECT_FALSE(pair.worker->poll());
  EXPECT_TRUE(pair.root->send(1, {3, 7, 11, 13, -1}, text_buffer("planes")).done());
  EXPECT_FALSE(pair.root->poll()) << "it is the worker's";
  const std::optional<Message> message = pair.worker->poll();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->from, 0);
  EXPECT_EQ(message->header.kind, 3);
  EXPECT_EQ(message->header.flags, 7);
  EXPECT_EQ(message->header.chunk_index, 11);
  EXPECT_EQ(message->header.frame_index, 13);
  EXPECT_EQ(message->header.payload_bytes, 6);
  EXPECT_EQ(text_of(*message), "planes");
  EXPECT_FALSE(pair.worker->poll());
}

TEST(LoopbackCommunicator, MovesThePayloadWithoutACopy) {
  const LoopbackPair pair = make_loopback();
  Buffer payload(1000);
  const std::byte* address = payload.data();
  (void)pair.worker->send(0, {1, 0, 0, 0, 0}, std::move(payload));
  EXPECT_EQ(pair.root->poll()->payload.data(), address);
}

TEST(LoopbackCommunicator, CarriesEmptyPayloadsAndMessagesToItself) {
  const LoopbackPair pair = make_loopback();
  (void)pair.root->send(0, {5, 0, 0, 0, 0}, Buffer());
  const std::optional<Message> message = pair.root->poll();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->from, 0);
  EXPECT_TRUE(message->payload.empty());
}

TEST(LoopbackCommunicator, RefusesOtherRanks) {
  const LoopbackPair pair = make_loopback();
  EXPECT_THROW((void)pair.root->send(2, {}, Buffer()), JobError);
  EXPECT_THROW((void)pair.root->send(-1, {}, Buffer()), JobError);
}

TEST(LoopbackCommunicator, KeepsTheOrderBetweenThreads) {
  const LoopbackPair pair = make_loopback();
  constexpr int num_messages = 20000;
  std::thread worker([&] {  // sends every message back
    for (int i = 0; i < num_messages;) {
      if (std::optional<Message> message = pair.worker->poll()) {
        (void)pair.worker->send(0, message->header, std::move(message->payload));
        ++i;
      }
    }
  });
  int received = 0;
  bool in_order = true;
  for (int sent = 0; received < num_messages;) {
    if (sent < num_messages) {
      (void)pair.root->send(1, {2, 0, 0, sent, 0}, text_buffer(std::to_string(sent)));
      ++sent;
    }
    while (const std::optional<Message> message = pair.root->poll()) {
      in_order = in_order && message->header.frame_index == received &&
                 text_of(*message) == std::to_string(received) && message->from == 1;
      ++received;
    }
  }
  worker.join();
  EXPECT_TRUE(in_order);
}

TEST(LoopbackCommunicator, SurvivesTheOtherEnd) {
  LoopbackPair pair = make_loopback();
  (void)pair.worker->send(0, {1, 0, 0, 0, 0}, text_buffer("last words"));
  pair.worker.reset();
  (void)pair.root->send(1, {1, 0, 0, 0, 0}, text_buffer("lost"));
  EXPECT_EQ(text_of(*pair.root->poll()), "last words");
}

TEST(LoopbackCommunicatorDeathTest, AbortEndsTheProcessWithTheCode) {
  const LoopbackPair pair = make_loopback();
  EXPECT_EXIT(pair.worker->abort(75), testing::ExitedWithCode(75), "");
}

}  // namespace
}  // namespace atelier::transport
