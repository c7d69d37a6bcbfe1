// Run by mpirun on 1, 2 and 4 ranks. Ranks send to themselves too, so that one rank tests something. All
// comparisons are exact. The verdict is that of all ranks.
#include "atelier/transport/mpi_communicator.h"

#include <mpi.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/stopwatch.h"

namespace {

using namespace atelier;
using namespace atelier::transport;

int num_failures = 0;
int num_checks = 0;

#define EXPECT(condition)                                                          \
  do {                                                                             \
    ++num_checks;                                                                  \
    if (!(condition)) {                                                            \
      ++num_failures;                                                              \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                              \
  } while (false)

/// Byte i of message `seed`.
std::byte pattern(std::uint64_t seed, std::size_t i) {
  return static_cast<std::byte>((seed * 131 + i * 7 + (i >> 12) * 3 + (i >> 24)) & 0xff);
}

Buffer patterned(std::uint64_t seed, std::size_t size_bytes) {
  Buffer buffer(size_bytes);
  for (std::size_t i = 0; i < size_bytes; ++i) buffer.data()[i] = pattern(seed, i);
  return buffer;
}

bool has_pattern(const Buffer& buffer, std::uint64_t seed, std::size_t size_bytes) {
  if (buffer.size() != size_bytes) return false;
  for (std::size_t i = 0; i < size_bytes; ++i) {
    if (buffer.data()[i] != pattern(seed, i)) return false;
  }
  return true;
}

std::uint64_t seed_of(Rank from, Rank to, std::int64_t number) {
  return static_cast<std::uint64_t>(from * 1000 + to * 100 + number);
}

/// Polls until num_messages came, at most 90 s.
void receive(MpiCommunicator& comm, std::int64_t num_messages,
             const std::function<void(const Message&)>& use) {
  const Stopwatch waiting;
  std::int64_t received = 0;
  while (received < num_messages && waiting.seconds_s() < 90) {
    if (const std::optional<Message> message = comm.poll()) {
      use(*message);
      ++received;
    }
  }
  EXPECT(received == num_messages);
}

void expect_identity(const MpiCommunicator& comm) {
  int world_rank = -1;
  int world_size = -1;
  MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world_size);
  EXPECT(comm.rank() == world_rank);
  EXPECT(comm.size() == world_size);
  EXPECT(comm.local_size() == world_size);  // the test runs on one machine
}

/// Each rank sends payloads of these sizes to the next num_targets ranks; they arrive whole and in order.
void exchange(MpiCommunicator& comm, int num_targets, const std::vector<std::size_t>& sizes_bytes,
              bool drop_transfers) {
  std::vector<Transfer> transfers;
  for (std::size_t number = 0; number < sizes_bytes.size(); ++number) {
    for (int target = 1; target <= num_targets; ++target) {
      const Rank to = (comm.rank() + target) % comm.size();
      const auto n = static_cast<std::int64_t>(number);
      Transfer transfer = comm.send(to, {static_cast<std::int32_t>(number % 5), comm.rank(), n, -n, 0},
                                    patterned(seed_of(comm.rank(), to, n), sizes_bytes[number]));
      if (!drop_transfers) transfers.push_back(std::move(transfer));
    }
  }
  std::vector<std::int64_t> next(static_cast<std::size_t>(comm.size()), 0);
  const auto num_messages = static_cast<std::int64_t>(sizes_bytes.size()) * num_targets;
  receive(comm, num_messages, [&](const Message& message) {
    const std::int64_t number = next.at(static_cast<std::size_t>(message.from))++;
    EXPECT(message.header.kind == number % 5);
    EXPECT(message.header.flags == message.from);
    EXPECT(message.header.chunk_index == number);
    EXPECT(message.header.frame_index == -number);
    const std::size_t size_bytes = sizes_bytes.at(static_cast<std::size_t>(number));
    EXPECT(message.header.payload_bytes == static_cast<std::int64_t>(size_bytes));
    EXPECT(has_pattern(message.payload, seed_of(message.from, comm.rank(), number), size_bytes));
  });
  EXPECT(!comm.poll());
  const Stopwatch waiting;
  for (Transfer& transfer : transfers) {
    while (!transfer.done() && waiting.seconds_s() < 30) (void)comm.poll();
    EXPECT(transfer.done());
  }
}

/// send returns at once although nobody receives: 64 MiB does not fit any eager buffer.
void expect_send_does_not_block(MpiCommunicator& comm) {
  MPI_Barrier(MPI_COMM_WORLD);
  const Rank next = (comm.rank() + 1) % comm.size();
  Buffer payload = patterned(1, max_message_bytes);
  const Stopwatch sending;
  Transfer transfer = comm.send(next, {1, 0, 0, 0, 0}, std::move(payload));
  EXPECT(sending.seconds_s() < 1);
  MPI_Barrier(MPI_COMM_WORLD);  // all have sent, nobody has received
  receive(comm, 1,
          [](const Message& message) { EXPECT(has_pattern(message.payload, 1, max_message_bytes)); });
  const Stopwatch waiting;
  while (!transfer.done() && waiting.seconds_s() < 30) (void)comm.poll();
  EXPECT(transfer.done());
}

void expect_errors_are_exceptions(MpiCommunicator& comm) {
  try {
    (void)comm.send(comm.size(), {1, 0, 0, 0, 0}, Buffer());
    EXPECT(!"a rank that does not exist is refused");
  } catch (const JobError& error) {
    EXPECT(std::string(error.what()).find("MPI_Isend failed") != std::string::npos);
  }
}

}  // namespace

int main() {
  constexpr std::size_t mib = std::size_t{1} << 20;
  int num_failures_of_all = 0;
  {
    MpiCommunicator comm;
    expect_identity(comm);
    EXPECT(!comm.poll());
    EXPECT(!comm.receiving());
    MPI_Barrier(MPI_COMM_WORLD);
    for (const bool drop_transfers : {false, true}) {
      exchange(comm, comm.size(), {0}, drop_transfers);
      MPI_Barrier(MPI_COMM_WORLD);
      exchange(comm, comm.size(), {0, 1, 31, 32, 33, 4096, 0, 65536, mib, 0, 3}, drop_transfers);
      MPI_Barrier(MPI_COMM_WORLD);
      exchange(comm, comm.size(), std::vector<std::size_t>(500, 10000), drop_transfers);
      MPI_Barrier(MPI_COMM_WORLD);
    }
    // Around the size of a part, then three parts, with a small one behind that must not overtake.
    exchange(comm, 1, {max_message_bytes - 1, max_message_bytes, max_message_bytes + 1, 5}, false);
    MPI_Barrier(MPI_COMM_WORLD);
    exchange(comm, 1, {150 * mib, 5}, true);
    expect_send_does_not_block(comm);
    expect_errors_are_exceptions(comm);
    EXPECT(num_checks > 1000);
    MPI_Allreduce(&num_failures, &num_failures_of_all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    // The end: a transfer dropped on the way, one held, and neither polled by its receiver.
    (void)comm.send((comm.rank() + 1) % comm.size(), {1, 0, 0, 0, 0}, patterned(2, 8 * mib));
    const Transfer held = comm.send((comm.rank() + 1) % comm.size(), {1, 0, 0, 0, 0}, patterned(3, 8 * mib));
    comm.finish();
  }
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (finalized == 0) ++num_failures_of_all;
  return num_failures_of_all == 0 ? 0 : 1;
}
