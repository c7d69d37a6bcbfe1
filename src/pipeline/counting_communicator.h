#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "atelier/transport/communicator.h"

namespace atelier::pipeline {

/// Bytes of messages, headers included.
struct Traffic {
  std::int64_t sent_bytes = 0;
  std::int64_t received_bytes = 0;
};

/// Counts what goes through another communicator.
class CountingCommunicator final : public transport::Communicator {
 public:
  explicit CountingCommunicator(transport::Communicator& communicator)
      : communicator_(communicator), with_(static_cast<std::size_t>(communicator.size())) {}

  /// With one other rank.
  [[nodiscard]] const Traffic& with(transport::Rank rank) const {
    return with_.at(static_cast<std::size_t>(rank));
  }
  /// With all of them.
  [[nodiscard]] Traffic total() const {
    Traffic sum;
    for (const Traffic& one : with_) {
      sum.sent_bytes += one.sent_bytes;
      sum.received_bytes += one.received_bytes;
    }
    return sum;
  }

  [[nodiscard]] transport::Rank rank() const override { return communicator_.rank(); }
  [[nodiscard]] int size() const override { return communicator_.size(); }
  [[nodiscard]] int local_size() const override { return communicator_.local_size(); }
  [[nodiscard]] transport::Transfer send(transport::Rank to, transport::MessageHeader header,
                                         Buffer payload) override {
    with_.at(static_cast<std::size_t>(to)).sent_bytes += message_bytes(payload);
    return communicator_.send(to, header, std::move(payload));
  }
  std::optional<transport::Message> poll() override {
    std::optional<transport::Message> message = communicator_.poll();
    if (message)
      with_.at(static_cast<std::size_t>(message->from)).received_bytes += message_bytes(message->payload);
    return message;
  }
  [[nodiscard]] bool receiving() const override { return communicator_.receiving(); }
  [[noreturn]] void abort(int exit_code) override {
    communicator_.abort(exit_code);
    std::abort();  // GCC does not see that the call does not return
  }

 private:
  static std::int64_t message_bytes(const Buffer& payload) {
    return static_cast<std::int64_t>(sizeof(transport::MessageHeader) + payload.size());
  }

  transport::Communicator& communicator_;
  std::vector<Traffic> with_;
};

}  // namespace atelier::pipeline
