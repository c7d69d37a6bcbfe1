#include "outbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/transport/loopback_communicator.h"
#include "counting_communicator.h"

namespace atelier::pipeline {
namespace {

using transport::MessageHeader;
using transport::Rank;
using transport::Transfer;

// A message on a wire that the test moves by hand.
struct Sent {
  Rank to = 0;
  MessageHeader header;
  const std::byte* data = nullptr;
  bool left = false;    // set by the test: done() is true from now on
  bool broken = false;  // set by the test: done() throws
  bool freed = false;   // its Transfer, and so its buffer, is gone
};

class SlowWire final : public transport::Communicator {
 public:
  [[nodiscard]] Rank rank() const override { return 0; }
  [[nodiscard]] int size() const override { return 100; }
  [[nodiscard]] int local_size() const override { return 100; }
  [[nodiscard]] Transfer send(Rank to, MessageHeader header, Buffer payload) override {
    if (refuses) throw JobError("the wire is cut");
    sent.push_back(std::make_shared<Sent>(Sent{to, header, payload.data()}));
    return Transfer(std::make_unique<State>(sent.back(), std::move(payload)));
  }
  std::optional<transport::Message> poll() override { return std::nullopt; }
  [[nodiscard]] bool receiving() const override { return false; }
  [[noreturn]] void abort(int) override { std::abort(); }

  std::vector<std::shared_ptr<Sent>> sent;
  bool refuses = false;

 private:
  struct State final : Transfer::State {
    State(std::shared_ptr<Sent> of, Buffer bytes) : message(std::move(of)), payload(std::move(bytes)) {}
    ~State() override { message->freed = true; }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    bool done() override {
      if (message->broken) throw JobError("the wire is cut");
      return message->left;
    }
    std::shared_ptr<Sent> message;
    Buffer payload;
  };
};

Buffer filled(std::size_t size, int value) {
  Buffer buffer(size);
  std::fill_n(buffer.data(), size, static_cast<std::byte>(value));
  return buffer;
}

TEST(Outbox, SendsAtOnceAndInOrder) {
  SlowWire wire;
  Outbox outbox(wire);
  for (int i = 0; i < 3; ++i)
    outbox.send(2, MessageKind::frame, {.chunk_index = 7, .frame_index = i}, filled(10, i));
  outbox.send(1, MessageKind::stop);
  ASSERT_EQ(wire.sent.size(), 4U) << "no message waits for one before it";
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(wire.sent[i]->to, 2);
    EXPECT_EQ(wire.sent[i]->header.kind, static_cast<std::int32_t>(MessageKind::frame));
    EXPECT_EQ(wire.sent[i]->header.chunk_index, 7);
    EXPECT_EQ(wire.sent[i]->header.frame_index, static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(wire.sent[3]->to, 1);
  EXPECT_EQ(wire.sent[3]->header.kind, static_cast<std::int32_t>(MessageKind::stop));
}

// What deals frames stops at a number of bytes under way: they must count from send until they have left.
TEST(Outbox, CountsBytesUntilTheyHaveLeft) {
  SlowWire wire;
  Outbox outbox(wire);
  EXPECT_TRUE(outbox.empty());
  EXPECT_FALSE(outbox.retire());
  outbox.send(1, MessageKind::frame, {}, filled(100, 1));
  outbox.send(1, MessageKind::frame, {}, filled(20, 2));
  outbox.send(2, MessageKind::frame, {}, filled(3, 3));
  EXPECT_EQ(outbox.bytes(), 123U);
  EXPECT_FALSE(outbox.retire());
  EXPECT_EQ(outbox.bytes(), 123U);
  wire.sent[2]->left = true;
  EXPECT_TRUE(outbox.retire());
  EXPECT_EQ(outbox.bytes(), 120U);
  wire.sent[1]->left = true;  // behind one that has not
  EXPECT_FALSE(outbox.retire());
  EXPECT_EQ(outbox.bytes(), 120U);
  wire.sent[0]->left = true;
  EXPECT_TRUE(outbox.retire());
  EXPECT_EQ(outbox.bytes(), 0U);
  EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, KeepsABufferUntilItHasLeft) {
  SlowWire wire;
  Outbox outbox(wire);
  for (int i = 0; i < 40; ++i) outbox.send(1 + i % 3, MessageKind::frame, {}, filled(5000, i));
  for (int round = 0; round < 5; ++round) outbox.retire();
  for (std::size_t i = 0; i < wire.sent.size(); ++i) {
    ASSERT_FALSE(wire.sent[i]->freed) << i;
    EXPECT_EQ(wire.sent[i]->data[0], static_cast<std::byte>(i));
    EXPECT_EQ(wire.sent[i]->data[4999], static_cast<std::byte>(i));
    wire.sent[i]->left = true;
    outbox.retire();
    EXPECT_TRUE(wire.sent[i]->freed) << i;
  }
  EXPECT_TRUE(outbox.empty());
}

// It looks at some ranks a call; none may be passed over for ever, whoever is slow.
TEST(Outbox, GetsRoundToEveryRank) {
  SlowWire wire;
  Outbox outbox(wire);
  for (Rank to = 1; to < 100; ++to) outbox.send(to, MessageKind::frame, {}, filled(1, to));
  for (std::size_t i = 0; i < wire.sent.size(); ++i) wire.sent[i]->left = i % 10 != 0;
  for (int round = 0; round < 20; ++round) outbox.retire();
  EXPECT_EQ(outbox.bytes(), 10U);
  for (const auto& message : wire.sent) EXPECT_EQ(message->freed, message->left) << message->to;
}

TEST(Outbox, DrainsAndGivesUpInTime) {
  SlowWire wire;
  Outbox outbox(wire);
  for (Rank to = 1; to < 100; ++to) outbox.send(to, MessageKind::goodbye, {}, filled(8, to));
  for (const auto& message : wire.sent) message->left = message->to != 50;
  const auto begin = std::chrono::steady_clock::now();
  outbox.drain(0.05);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(50));
  EXPECT_EQ(outbox.bytes(), 8U);
  EXPECT_FALSE(wire.sent[49]->freed);
  wire.sent[49]->left = true;
  outbox.drain(3600);
  EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, AFailureLeavesTheRestAsItIs) {
  SlowWire wire;
  Outbox outbox(wire);
  wire.refuses = true;
  EXPECT_THROW(outbox.send(2, MessageKind::frame, {}, filled(10, 2)), JobError);
  EXPECT_EQ(outbox.bytes(), 0U);
  EXPECT_TRUE(outbox.empty()) << "nothing is under way to a rank that could not be sent to";
  wire.refuses = false;
  outbox.send(1, MessageKind::frame, {}, filled(10, 1));
  wire.sent[0]->broken = true;
  EXPECT_THROW(outbox.retire(), JobError);
  EXPECT_EQ(outbox.bytes(), 10U);
  EXPECT_FALSE(wire.sent[0]->freed) << "it may still be on its way";
  wire.sent[0]->broken = false;
  wire.sent[0]->left = true;
  EXPECT_TRUE(outbox.retire());
  EXPECT_TRUE(outbox.empty());
}

TEST(Idle, SpinsWhileBusyAndSleepsLongerAndLonger) {
  Idle idle;
  EXPECT_EQ(idle.next(true).count(), 0);
  auto last = idle.next(false);
  EXPECT_GT(last.count(), 0);
  for (int i = 0; i < 20; ++i) {
    const auto next = idle.next(false);
    EXPECT_GE(next, last);
    EXPECT_LE(next, Idle::default_limit);
    last = next;
  }
  EXPECT_EQ(last, Idle::default_limit);
  EXPECT_EQ(idle.next(true).count(), 0);
  EXPECT_LT(idle.next(false), Idle::default_limit);
}

TEST(Idle, GivesWayToWhatIsArrivingButNotForEver) {
  Idle idle;
  EXPECT_EQ(idle.next(false, true).count(), 0);
  Idle::Microseconds wait{0};
  for (int i = 0; i < 1000 && wait.count() == 0; ++i) wait = idle.next(false, true);
  EXPECT_GT(wait.count(), 0);
  EXPECT_LT(wait, Idle::default_limit);
}

TEST(Idle, ManyProcessesOnFewCoresLookLessOften) {
  EXPECT_EQ(idle_limit(1, 2), Idle::default_limit);
  EXPECT_EQ(idle_limit(9, 64), Idle::default_limit);
  EXPECT_EQ(idle_limit(33, 2), 8 * Idle::default_limit);
  EXPECT_EQ(idle_limit(4096, 1), 16 * Idle::default_limit);
}

TEST(CountingCommunicator, CountsByRank) {
  auto [root, worker] = transport::make_loopback();
  CountingCommunicator counted(*root);
  CountingCommunicator other(*worker);
  (void)counted.send(1, {}, Buffer(100));
  (void)counted.send(1, {}, {});
  ASSERT_TRUE(other.poll());
  const auto header = static_cast<std::int64_t>(sizeof(transport::MessageHeader));
  EXPECT_EQ(counted.with(1).sent_bytes, 100 + 2 * header);
  EXPECT_EQ(counted.total().received_bytes, 0);
  EXPECT_EQ(other.with(0).received_bytes, 100 + header);
  EXPECT_EQ(other.total().sent_bytes, 0);
}

}  // namespace
}  // namespace atelier::pipeline
