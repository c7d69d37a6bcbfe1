#include "atelier/transport/loopback_communicator.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>

#include "atelier/base/checked_cast.h"
#include "atelier/base/error.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"

namespace atelier::transport {
namespace {

struct Inbox {
  std::mutex mutex;
  std::deque<Message> messages;
};

using Inboxes = std::array<Inbox, 2>;

class LoopbackCommunicator final : public Communicator {
 public:
  LoopbackCommunicator(std::shared_ptr<Inboxes> inboxes, Rank rank)
      : inboxes_(std::move(inboxes)), rank_(rank) {}

  [[nodiscard]] Rank rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return 2; }
  [[nodiscard]] int local_size() const override { return 2; }

  [[nodiscard]] Transfer send(Rank to, MessageHeader header, Buffer payload) override {
    if (to < 0 || to >= size()) {
      throw JobError(concat("cannot send to rank ", to), "there are ranks 0 and 1 only");
    }
    header.payload_bytes = checked_cast<std::int64_t>(payload.size());
    Inbox& inbox = (*inboxes_)[checked_cast<std::size_t>(to)];
    const std::lock_guard lock(inbox.mutex);
    inbox.messages.push_back({rank_, header, std::move(payload)});
    return Transfer(nullptr);
  }

  std::optional<Message> poll() override {
    Inbox& inbox = (*inboxes_)[checked_cast<std::size_t>(rank_)];
    const std::lock_guard lock(inbox.mutex);
    if (inbox.messages.empty()) return std::nullopt;
    std::optional<Message> message(std::move(inbox.messages.front()));
    inbox.messages.pop_front();
    return message;
  }

  // Messages arrive whole.
  [[nodiscard]] bool receiving() const override { return false; }

  [[noreturn]] void abort(int exit_code) override {
    log::flush();
    std::fflush(nullptr);
    std::_Exit(exit_code);
  }

 private:
  std::shared_ptr<Inboxes> inboxes_;
  Rank rank_;
};

}  // namespace

LoopbackPair make_loopback() {
  auto inboxes = std::make_shared<Inboxes>();
  return {std::make_unique<LoopbackCommunicator>(inboxes, 0),
          std::make_unique<LoopbackCommunicator>(inboxes, 1)};
}

}  // namespace atelier::transport
