#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "atelier/base/buffer.h"

namespace atelier::transport {

using Rank = int;

/// Travels before every payload. kind is the MPI tag.
struct MessageHeader {
  std::int32_t kind = 0;  ///< 0 to 1000; meanings are the pipeline's
  std::int32_t flags = 0;
  std::int64_t chunk_index = 0;
  std::int64_t frame_index = 0;
  std::int64_t payload_bytes = 0;  ///< set by send
};

struct Message {
  Rank from = 0;
  MessageHeader header;
  Buffer payload;
};

/// A send under way. Owns its requests and its buffer: the buffer cannot die before the transfer is over.
class Transfer {
 public:
  struct State {
    virtual ~State() = default;
    virtual bool done() = 0;  ///< never blocks
  };
  explicit Transfer(std::unique_ptr<State> state) : state_(std::move(state)) {}

  /// True once the buffer has left; never blocks.
  [[nodiscard]] bool done() { return !state_ || state_->done(); }

 private:
  std::unique_ptr<State> state_;
};

/// Messages between root (rank 0) and workers; MPI, or in one process. One thread calls it.
/// Messages from one rank arrive in the order they were sent. Payloads of any size travel in parts of at most
/// 64 MiB.
class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual Rank rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  /// How many ranks run on this rank's machine.
  [[nodiscard]] virtual int local_size() const = 0;
  /// Starts to send; never blocks.
  [[nodiscard]] virtual Transfer send(Rank to, MessageHeader header, Buffer payload) = 0;
  /// The next message that has wholly arrived, or nullopt; never blocks.
  virtual std::optional<Message> poll() = 0;
  /// Whether a message is arriving: the caller spins instead of sleeping.
  [[nodiscard]] virtual bool receiving() const = 0;
  /// Ends all ranks at once with this exit code. Does not return.
  [[noreturn]] virtual void abort(int exit_code) = 0;
};

inline constexpr std::size_t max_message_bytes = std::size_t{64} << 20;

}  // namespace atelier::transport
