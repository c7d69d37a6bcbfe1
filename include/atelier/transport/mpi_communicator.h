#pragma once

#include <memory>
#include <optional>
#include <string>

#include "atelier/transport/communicator.h"

#if ATELIER_MPI

namespace atelier::transport {

/// All ranks of the MPI job, on a communicator of its own. One of these at most lives in a process, ever:
/// MPI cannot be initialised twice.
///
/// A message travels as its header, then its payload in parts of at most 64 MiB, all non-blocking and with
/// the kind as tag. MPI keeps the order of what one rank sends to another, so parts need no numbers.
///
/// The thread that constructs it (MPI_THREAD_FUNNELED) is the only one that may call it, destroy it, or touch
/// its Transfers. A Transfer dropped before it is done keeps its buffer alive inside until it has left.
/// Every MPI failure throws JobError.
class MpiCommunicator final : public Communicator {
 public:
  /// Initialises MPI. Call it under a launcher only (detect_launcher).
  MpiCommunicator();
  /// finish() if it was not called. Aborts all ranks with exit code 1 if that fails or an exception is on its
  /// way: nobody unwinds past a live communicator.
  ~MpiCommunicator() override;

  [[nodiscard]] Rank rank() const override;
  [[nodiscard]] int size() const override;
  [[nodiscard]] int local_size() const override;
  [[nodiscard]] Transfer send(Rank to, MessageHeader header, Buffer payload) override;
  std::optional<Message> poll() override;
  [[nodiscard]] bool receiving() const override;
  [[noreturn]] void abort(int exit_code) override;

  /// The orderly end, called by all ranks: waits until all that was sent has left and all ranks are here,
  /// then finalises MPI. Messages that nobody polled are dropped. Throws JobError after limit_s seconds (a
  /// peer is gone); the caller then aborts.
  void finish(double limit_s = 60);

 private:
  struct Core;
  struct Outgoing;
  struct SendState;
  std::shared_ptr<Core> core_;
};

/// "Open MPI v4.1.4, …": the MPI library in use. Needs no initialised MPI.
std::string mpi_library_version();

}  // namespace atelier::transport

#endif
