#include "atelier/transport/mpi_communicator.h"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <thread>
#include <unordered_set>
#include <vector>

#include "atelier/base/checked_cast.h"
#include "atelier/base/error.h"
#include "atelier/base/log.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "mpi_help.h"

namespace atelier::transport {
namespace {

void check(int code, const char* function) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw JobError(concat(function, " failed"), text.data(), "Look at the messages of mpirun");
}

/// MPI from MPI_Init to MPI_Finalize.
class Session {
 public:
  Session() {
    int initialized = 0;
    check(MPI_Initialized(&initialized), "MPI_Initialized");
    if (initialized != 0) throw JobError("MPI cannot be initialised twice in one process");
    int provided = MPI_THREAD_SINGLE;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    keep_open_mpi_help_here();
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    if (provided < MPI_THREAD_FUNNELED) {
      throw JobError("this MPI library cannot be used beside threads", "it lacks MPI_THREAD_FUNNELED");
    }
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void finalize() { check(MPI_Finalize(), "MPI_Finalize"); }
};

int part_bytes(std::size_t payload_bytes, std::size_t offset) {
  return checked_cast<int>(std::min(max_message_bytes, payload_bytes - offset));
}

/// A message on its way in.
struct Incoming {
  int tag = 0;
  bool header_arrived = false;
  MessageHeader header;
  Buffer payload;
  std::size_t bytes_asked = 0;        ///< of the payload, from its start
  std::vector<MPI_Request> requests;  ///< of the header, then of the parts

  [[nodiscard]] bool all_asked() const { return header_arrived && bytes_asked == payload.size(); }
};

/// A message that MPI has matched and that is not being received yet.
struct Matched {
  MPI_Message message = MPI_MESSAGE_NULL;
  int tag = 0;
  int bytes = 0;
};

/// What one rank has sent to this one, in its order. Deques: MPI writes into elements while others come.
struct Source {
  std::deque<Matched> matched;
  std::deque<Incoming> incoming;
};

bool test_all(std::vector<MPI_Request>& requests) {
  if (requests.empty()) return true;
  int done = 0;
  check(MPI_Testall(checked_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE),
        "MPI_Testall");
  if (done != 0) requests.clear();
  return done != 0;
}

}  // namespace

/// A message on its way out. MPI reads header and payload until all requests are done.
struct MpiCommunicator::Outgoing {
  MessageHeader header;
  Buffer payload;
  std::vector<MPI_Request> requests;
};

struct MpiCommunicator::Core {
  Session session;
  MPI_Comm comm = MPI_COMM_NULL;
  int rank = 0;
  int size = 1;
  int local_size = 1;
  bool finished = false;
  int exceptions_at_start = std::uncaught_exceptions();
  std::vector<Source> sources;
  std::vector<std::unique_ptr<Outgoing>> graveyard;  ///< of Transfers that were dropped before they were done
  std::unordered_set<Outgoing*> held;                ///< by Transfers that nobody has seen done
  std::size_t next_source = 0;                       ///< poll takes turns

  Core();
  std::unique_ptr<Outgoing> start(Rank to, MessageHeader header, Buffer payload);
  void reap() {
    std::erase_if(graveyard, [](const auto& outgoing) { return test_all(outgoing->requests); });
  }
  void match();
  void receive(Source& source);
  std::optional<Message> take(Rank from);
};

struct MpiCommunicator::SendState final : Transfer::State {
  SendState(std::shared_ptr<Core> owner, std::unique_ptr<Outgoing> message)
      : core(std::move(owner)), outgoing(std::move(message)) {
    core->held.insert(outgoing.get());
  }
  ~SendState() override {
    if (!outgoing) return;
    core->held.erase(outgoing.get());
    // After finish() nothing is in flight.
    if (!core->finished) core->graveyard.push_back(std::move(outgoing));
  }
  SendState(const SendState&) = delete;
  SendState& operator=(const SendState&) = delete;

  bool done() override {
    if (!outgoing) return true;
    if (!core->finished && !test_all(outgoing->requests)) return false;
    core->held.erase(outgoing.get());
    outgoing.reset();
    return true;
  }

  std::shared_ptr<Core> core;
  std::unique_ptr<Outgoing> outgoing;
};

MpiCommunicator::Core::Core() {
  check(MPI_Comm_dup(MPI_COMM_WORLD, &comm), "MPI_Comm_dup");
  check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  MPI_Comm machine = MPI_COMM_NULL;
  check(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &machine),
        "MPI_Comm_split_type");
  check(MPI_Comm_size(machine, &local_size), "MPI_Comm_size");
  check(MPI_Comm_free(&machine), "MPI_Comm_free");
  sources = std::vector<Source>(checked_cast<std::size_t>(size));
}

std::unique_ptr<MpiCommunicator::Outgoing> MpiCommunicator::Core::start(Rank to, MessageHeader header,
                                                                        Buffer payload) {
  header.payload_bytes = checked_cast<std::int64_t>(payload.size());
  auto outgoing = std::make_unique<Outgoing>(Outgoing{header, std::move(payload), {}});
  const Buffer& bytes = outgoing->payload;
  outgoing->requests.reserve(2 + bytes.size() / max_message_bytes);
  const auto send_part = [&](const void* data, int count) {
    MPI_Request& request = outgoing->requests.emplace_back(MPI_REQUEST_NULL);
    check(MPI_Isend(data, count, MPI_BYTE, to, header.kind, comm, &request), "MPI_Isend");
  };
  send_part(&outgoing->header, sizeof(MessageHeader));
  for (std::size_t offset = 0; offset < bytes.size(); offset += max_message_bytes) {
    send_part(bytes.data() + offset, part_bytes(bytes.size(), offset));
  }
  return outgoing;
}

void MpiCommunicator::Core::match() {
  // A bound, so that a flood of messages cannot keep poll from returning.
  constexpr int max_matches = 64;
  for (int i = 0; i < max_matches; ++i) {
    Matched matched;
    MPI_Status status;
    int found = 0;
    check(MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm, &found, &matched.message, &status), "MPI_Improbe");
    if (found == 0) return;
    check(MPI_Get_count(&status, MPI_BYTE, &matched.bytes), "MPI_Get_count");
    matched.tag = status.MPI_TAG;
    sources.at(checked_cast<std::size_t>(status.MPI_SOURCE)).matched.push_back(matched);
  }
}

/// Starts to receive what was matched, as far as it is known where it goes.
void MpiCommunicator::Core::receive(Source& source) {
  for (;;) {
    Incoming* last = source.incoming.empty() ? nullptr : &source.incoming.back();
    if (last != nullptr && !last->header_arrived) {
      if (!test_all(last->requests)) return;
      last->header_arrived = true;
      last->payload = Buffer(checked_cast<std::size_t>(last->header.payload_bytes));
    }
    if (source.matched.empty()) return;
    Matched matched = source.matched.front();
    source.matched.pop_front();
    void* target = nullptr;
    int expected_bytes = sizeof(MessageHeader);
    if (last == nullptr || last->all_asked()) {
      last = &source.incoming.emplace_back();
      last->tag = matched.tag;
      target = &last->header;
    } else {
      expected_bytes = part_bytes(last->payload.size(), last->bytes_asked);
      target = last->payload.data() + last->bytes_asked;
      last->bytes_asked += checked_cast<std::size_t>(expected_bytes);
    }
    if (matched.bytes != expected_bytes || matched.tag != last->tag) {
      throw JobError(concat("a message of ", matched.bytes, " bytes and kind ", matched.tag,
                            " arrived where ", expected_bytes, " bytes of kind ", last->tag, " were due"),
                     "the ranks run different programs?");
    }
    MPI_Request& request = last->requests.emplace_back(MPI_REQUEST_NULL);
    check(MPI_Imrecv(target, matched.bytes, MPI_BYTE, &matched.message, &request), "MPI_Imrecv");
  }
}

/// The oldest message of a rank, if it has wholly arrived.
std::optional<Message> MpiCommunicator::Core::take(Rank from) {
  Source& source = sources[checked_cast<std::size_t>(from)];
  receive(source);
  if (source.incoming.empty()) return std::nullopt;
  Incoming& oldest = source.incoming.front();
  if (!oldest.all_asked() || !test_all(oldest.requests)) return std::nullopt;
  std::optional<Message> message(Message{from, oldest.header, std::move(oldest.payload)});
  source.incoming.pop_front();
  return message;
}

MpiCommunicator::MpiCommunicator() : core_(std::make_shared<Core>()) {}

MpiCommunicator::~MpiCommunicator() {
  if (core_->finished) return;
  if (std::uncaught_exceptions() > core_->exceptions_at_start) abort(static_cast<int>(ExitCode::failed));
  try {
    finish();
  } catch (const std::exception& error) {
    log::error(error.what());
    abort(static_cast<int>(ExitCode::failed));
  }
}

Rank MpiCommunicator::rank() const {
  return core_->rank;
}
int MpiCommunicator::size() const {
  return core_->size;
}
int MpiCommunicator::local_size() const {
  return core_->local_size;
}

Transfer MpiCommunicator::send(Rank to, MessageHeader header, Buffer payload) {
  core_->reap();
  return Transfer(std::make_unique<SendState>(core_, core_->start(to, header, std::move(payload))));
}

std::optional<Message> MpiCommunicator::poll() {
  Core& core = *core_;
  if (!core.graveyard.empty()) core.reap();
  core.match();
  for (std::size_t i = 0; i < core.sources.size(); ++i) {
    const std::size_t turn = (core.next_source + i) % core.sources.size();
    if (core.sources[turn].matched.empty() && core.sources[turn].incoming.empty()) continue;
    if (std::optional<Message> message = core.take(checked_cast<Rank>(turn))) {
      core.next_source = turn + 1;
      return message;
    }
  }
  return std::nullopt;
}

bool MpiCommunicator::receiving() const {
  return std::any_of(core_->sources.begin(), core_->sources.end(), [](const Source& source) {
    return !source.matched.empty() || !source.incoming.empty();
  });
}

void MpiCommunicator::abort(int exit_code) {
  log::flush();
  std::fflush(nullptr);
  // The launcher's notice of the abort takes another way than our lines, and Open MPI 5 ends it with a NUL:
  // it would stand in front of a line that comes later.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  // The launcher may not answer, for example where it waits for a machine that is cut off.
  std::thread([exit_code] {
    std::this_thread::sleep_for(std::chrono::seconds(5));
    std::_Exit(exit_code);
  }).detach();
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

void MpiCommunicator::finish(double limit_s) {
  Core& core = *core_;
  if (core.finished) return;
  const Stopwatch waiting;
  // Also drops what arrives: a peer's send may need it to get done.
  const auto wait_for = [&](const auto& condition, const char* what) {
    while (!condition()) {
      if (waiting.seconds_s() > limit_s) {
        throw JobError(concat("rank ", core.rank, " waited ", fixed(limit_s, 0), " s for ", what),
                       "another rank is gone or stuck");
      }
      if (!poll()) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  };
  const auto all_sent = [&] {
    core.reap();
    return core.graveyard.empty() && std::all_of(core.held.begin(), core.held.end(), [](Outgoing* outgoing) {
             return test_all(outgoing->requests);
           });
  };
  wait_for(all_sent, "its last messages to leave");
  std::vector<MPI_Request> all_here(1, MPI_REQUEST_NULL);
  check(MPI_Ibarrier(core.comm, all_here.data()), "MPI_Ibarrier");
  wait_for([&] { return test_all(all_here); }, "all ranks to end");
  wait_for([&] { return !receiving(); }, "the rest of a message");
  check(MPI_Comm_free(&core.comm), "MPI_Comm_free");
  core.session.finalize();
  core.finished = true;
}

std::string mpi_library_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  return std::string(text.data()).substr(0, std::string(text.data()).find(','));
}

}  // namespace atelier::transport
