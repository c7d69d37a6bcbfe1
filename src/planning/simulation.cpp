#include "atelier/planning/simulation.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <queue>
#include <utility>

#include "atelier/base/checked_cast.h"
#include "atelier/base/error.h"
#include "atelier/schedule/chunk_scheduler.h"
#include "atelier/schedule/policy.h"
#include "atelier/schedule/reorder_buffer.h"
#include "encoder_queue.h"

namespace atelier::planning {
namespace {

struct Message {
  enum class Kind { frame, chunk_end, packets, styled, chunk_done, segment } kind = Kind::styled;
  int worker = 0;
  std::int64_t chunk = 0;
  std::int64_t frame = 0;

  [[nodiscard]] bool outward() const {
    return kind == Kind::frame || kind == Kind::chunk_end || kind == Kind::packets;
  }
};

// Where messages pass one after another; those with a frame take time.
struct Lane {
  double frame_s = 0;
  std::deque<Message> queue = {};
  double busy_s = 0;
};

class Model {
 public:
  explicit Model(const JobModel& job)
      : job_(job),
        num_workers_(static_cast<int>(job.worker_ready_s.size())),
        scheduler_(schedule::scheduler_config(job.encode_at_workers, num_workers_)),
        decode_capacity_(checked_cast<std::int64_t>(schedule::decode_capacity_frames(job.frame_bytes))),
        max_sending_bytes_(schedule::sending_limit_bytes(job.frame_bytes, num_workers_)),
        max_waiting_(schedule::max_waiting_frames(job.num_encoders, job.chunk_frames)),
        hub_{job.message_s},
        network_out_{job.network_s},
        network_in_{job.network_s},
        num_chunks_((job.num_frames + job.chunk_frames - 1) / job.chunk_frames),
        workers_(static_cast<std::size_t>(num_workers_),
                 WorkerState{job.threads_per_worker, job.num_decoders, {}, {}, {}}),
        encoders_(job.encode_at_workers ? static_cast<std::size_t>(num_workers_) : 1,
                  EncoderQueue(job.num_encoders)) {
    scheduler_.expect_chunks(num_chunks_);
    result_.chunk_stored_s.resize(static_cast<std::size_t>(num_chunks_));
    result_.frames_per_worker.resize(static_cast<std::size_t>(num_workers_));
    chunks_.resize(static_cast<std::size_t>(num_chunks_));
  }

  Simulation run() {
    for (int worker = 0; worker < num_workers_; ++worker)
      at(std::max(0.0, job_.worker_ready_s[static_cast<std::size_t>(worker)]), {Event::Kind::ready, worker});
    // The first frame is decoded when the first chunk can be dealt.
    at(std::max(0.0, job_.startup_s - job_.decode_s), {Event::Kind::opened});
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      now_s_ = event.time_s;
      handle(event);
      feed();
    }
    if (num_stored_ != num_chunks_) throw JobError("the simulated job stands still", "internal error");
    return finish();
  }

 private:
  struct Event {
    enum class Kind {
      ready,
      opened,
      decoded,
      decoded_there,
      hub,
      network_out,
      network_in,
      styled,
      encoded,
      stored
    } kind;
    int who = 0;  // worker or encoders
    std::int64_t chunk = 0;
    std::int64_t frame = 0;
    EncoderQueue::Batch batch{};
    double time_s = 0;
    std::int64_t order = 0;

    bool operator<(const Event& other) const {  // the top of the queue is the earliest
      return time_s != other.time_s ? time_s > other.time_s : order > other.order;
    }
  };
  struct WorkerState {
    int num_idle = 1;
    int num_idle_decoders = 1;
    std::deque<std::int64_t> packets;                        // chunks
    std::deque<std::pair<std::int64_t, std::int64_t>> held;  // chunk, frame: by decoders, until there is room
    std::deque<std::pair<std::int64_t, std::int64_t>> todo;  // chunk, frame
  };
  struct ChunkState {
    int worker = 0;
    std::int64_t end_frame = -1;  // as the worker knows it
    std::int64_t num_styled = 0;
    double styled_sum_s = 0;  // of the moments at which its frames were styled
  };

  void at(double time_s, Event event) {
    event.time_s = time_s;
    event.order = num_events_++;
    events_.push(event);
  }
  void after(double seconds_s, const Event& event) { at(now_s_ + seconds_s, event); }

  ChunkState& chunk(std::int64_t index) { return chunks_[static_cast<std::size_t>(index)]; }
  std::int64_t first_frame(std::int64_t index) const { return index * job_.chunk_frames; }

  void handle(const Event& event) {
    switch (event.kind) {
      case Event::Kind::ready:
        may_deal_ = true;
        scheduler_.add_credits(event.who, credits());
        return;
      case Event::Kind::opened:
        opened_ = true;
        if (!job_.decode_at_workers) decode_next();
        return;
      case Event::Kind::decoded_there:
        decoded_there(event.who, event.chunk, event.frame);
        return;
      case Event::Kind::decoded:
        decoding_ = false;
        ++num_decoded_;
        decode_next();
        return;
      case Event::Kind::hub:
        pass_hub(leave(hub_, event.kind));
        return;
      case Event::Kind::network_out:
        arrive_at_worker(leave(network_out_, event.kind));
        return;
      case Event::Kind::network_in:
        enter(hub_, leave(network_in_, event.kind), Event::Kind::hub);
        return;
      case Event::Kind::styled:
        styled(event.who, event.chunk, event.frame);
        return;
      case Event::Kind::encoded:
        encoded(event);
        return;
      case Event::Kind::stored:
        stored(event.chunk);
        return;
    }
  }

  [[nodiscard]] int credits() const {
    int credits = schedule::credits_per_worker;
    if (job_.decode_at_workers)
      credits = std::max(credits, schedule::credits_with_decoders(job_.num_decoders));
    if (job_.encode_at_workers)
      credits = std::max(credits, schedule::credits_with_encoders(job_.num_encoders));
    return credits;
  }

  [[nodiscard]] bool encoders_have_room() const {
    return job_.encode_at_workers || encoders_[0].num_waiting() <= max_waiting_;
  }
  [[nodiscard]] std::int64_t end_frame(std::int64_t index) const {
    return std::min(first_frame(index + 1), job_.num_frames);
  }

  void decode_next() {
    if (decoding_ || num_decode_begun_ == job_.num_frames) return;
    if (num_decoded_ - num_popped_ >= decode_capacity_) return;
    decoding_ = true;
    ++num_decode_begun_;
    decode_busy_s_ += job_.decode_s;
    after(job_.decode_s, {Event::Kind::decoded});
  }

  // Dealing::feed_packets: packets are small and there at once.
  void feed_packets() {
    while (opened_ && may_deal_ && scheduler_.next_chunk() < num_chunks_ && encoders_have_room()) {
      const auto deal = scheduler_.deal(true);
      may_deal_ = deal.has_value();
      if (!deal) return;
      chunk(deal->chunk_index).worker = deal->worker;
      const std::int64_t end = end_frame(deal->chunk_index);
      if (!job_.encode_at_workers)
        encoders_[0].set_end(deal->chunk_index, first_frame(deal->chunk_index), end);
      enter(hub_, {Message::Kind::packets, deal->worker, deal->chunk_index, end}, Event::Kind::hub);
    }
  }

  // Dealing::feed: deals and sends until something is full.
  void feed() {
    if (job_.decode_at_workers) {
      feed_packets();
      return;
    }
    while (sending_bytes_ < max_sending_bytes_) {
      if (!next_frame_ && encoders_have_room() && num_popped_ < num_decoded_) {
        next_frame_ = num_popped_++;
        decode_next();
      }
      if (!next_frame_) return;
      if (!filling_) {
        if (!may_deal_) return;
        const auto deal = scheduler_.deal(true);
        may_deal_ = deal.has_value();
        if (!deal) return;
        filling_ = deal->chunk_index;
        chunk(*filling_).worker = deal->worker;
      }
      send_next_frame();
    }
  }

  void send_next_frame() {
    const std::int64_t frame = *std::exchange(next_frame_, std::nullopt);
    const int worker = chunk(*filling_).worker;
    sending_bytes_ += job_.frame_bytes;
    enter(hub_, {Message::Kind::frame, worker, *filling_, frame}, Event::Kind::hub);
    if (frame + 1 < end_frame(*filling_)) return;
    if (!job_.encode_at_workers) encoders_[0].set_end(*filling_, first_frame(*filling_), frame + 1);
    enter(hub_, {Message::Kind::chunk_end, worker, *filling_, frame + 1}, Event::Kind::hub);
    filling_.reset();
  }

  [[nodiscard]] bool local(int worker) const { return worker < job_.num_local_workers; }

  static double pass_s(const Lane& lane, const Message& message) {
    const bool has_frame = message.kind == Message::Kind::frame || message.kind == Message::Kind::styled;
    return has_frame ? lane.frame_s : 0;
  }
  void enter(Lane& lane, const Message& message, Event::Kind done) {
    lane.queue.push_back(message);
    if (lane.queue.size() == 1) after(pass_s(lane, message), {done});
  }
  Message leave(Lane& lane, Event::Kind done) {
    const Message message = lane.queue.front();
    lane.queue.pop_front();
    lane.busy_s += pass_s(lane, message);
    if (!lane.queue.empty()) after(pass_s(lane, lane.queue.front()), {done});
    return message;
  }

  void pass_hub(const Message& message) {
    if (!message.outward())
      arrive_at_root(message);
    else if (local(message.worker))
      arrive_at_worker(message);
    else
      enter(network_out_, message, Event::Kind::network_out);
  }

  void arrive_at_worker(const Message& message) {
    ChunkState& state = chunk(message.chunk);
    if (message.kind != Message::Kind::frame) {
      state.end_frame = message.frame;
      if (job_.encode_at_workers) {
        encoders(message.worker).set_end(message.chunk, first_frame(message.chunk), message.frame);
        encode(message.worker);
      }
      if (message.kind == Message::Kind::packets) {
        workers_[static_cast<std::size_t>(message.worker)].packets.push_back(message.chunk);
        decode_there(message.worker);
      } else {
        done_if_complete(message.worker, message.chunk);
      }
      return;
    }
    sending_bytes_ -= job_.frame_bytes;
    WorkerState& worker = workers_[static_cast<std::size_t>(message.worker)];
    worker.todo.emplace_back(message.chunk, message.frame);
    style(message.worker, worker);
  }

  // A worker's decoders take a chunk each, and hold a frame until there is room before the compute threads.
  void decode_there(int who) {
    WorkerState& worker = workers_[static_cast<std::size_t>(who)];
    while (worker.num_idle_decoders > 0 && !worker.packets.empty()) {
      --worker.num_idle_decoders;
      const std::int64_t index = worker.packets.front();
      worker.packets.pop_front();
      decode_frame_there(who, index, first_frame(index));
    }
  }
  void decode_frame_there(int who, std::int64_t index, std::int64_t frame) {
    decode_busy_s_ += job_.decode_s;
    after(job_.decode_s, {Event::Kind::decoded_there, who, index, frame});
  }
  void decoded_there(int who, std::int64_t index, std::int64_t frame) {
    WorkerState& worker = workers_[static_cast<std::size_t>(who)];
    worker.held.emplace_back(index, frame);
    release_held(who, worker);
    style(who, worker);
  }
  void release_held(int who, WorkerState& worker) {
    const auto room = static_cast<std::size_t>(2 * job_.threads_per_worker);
    while (!worker.held.empty() && worker.todo.size() < room) {
      const auto [index, frame] = worker.held.front();
      worker.held.pop_front();
      worker.todo.emplace_back(index, frame);
      if (frame + 1 < end_frame(index)) {
        decode_frame_there(who, index, frame + 1);
      } else {
        ++worker.num_idle_decoders;
        decode_there(who);
      }
    }
  }

  void style(int who, WorkerState& worker) {
    while (worker.num_idle > 0 && !worker.todo.empty()) {
      --worker.num_idle;
      const auto [chunk_index, frame] = worker.todo.front();
      worker.todo.pop_front();
      release_held(who, worker);
      style_busy_s_ += job_.style_s;
      after(job_.style_s, {Event::Kind::styled, who, chunk_index, frame});
    }
  }

  void styled(int who, std::int64_t chunk_index, std::int64_t frame) {
    WorkerState& worker = workers_[static_cast<std::size_t>(who)];
    ++worker.num_idle;
    style(who, worker);
    ++result_.frames_per_worker[static_cast<std::size_t>(who)];
    ChunkState& state = chunk(chunk_index);
    ++state.num_styled;
    state.styled_sum_s += now_s_;
    if (job_.encode_at_workers) {
      encoders(who).add_frame(chunk_index, first_frame(chunk_index), frame);
      encode(who);
    } else {
      send_back({Message::Kind::styled, who, chunk_index, frame});
    }
    done_if_complete(who, chunk_index);
  }

  void done_if_complete(int who, std::int64_t chunk_index) {
    const ChunkState& state = chunk(chunk_index);
    if (!job_.encode_at_workers && state.end_frame >= 0 &&
        state.num_styled == state.end_frame - first_frame(chunk_index))
      send_back({Message::Kind::chunk_done, who, chunk_index, 0});
  }

  void send_back(const Message& message) {
    local(message.worker) ? enter(hub_, message, Event::Kind::hub)
                          : enter(network_in_, message, Event::Kind::network_in);
  }

  void arrive_at_root(const Message& message) {
    switch (message.kind) {
      case Message::Kind::styled:
        encoders_[0].add_frame(message.chunk, first_frame(message.chunk), message.frame);
        encode(0);
        return;
      case Message::Kind::chunk_done:
        may_deal_ = true;
        scheduler_.styled(message.worker, message.chunk);
        return;
      case Message::Kind::segment:
        may_deal_ = true;
        scheduler_.styled(message.worker, message.chunk);
        store(message.chunk);
        return;
      default:
        return;
    }
  }

  EncoderQueue& encoders(int worker) { return encoders_[static_cast<std::size_t>(worker)]; }

  void encode(int who) {
    while (const auto batch = encoders(who).take()) {
      if (batch->first) encode_busy_s_ += job_.chunk_overhead_s;
      const double first_s = batch->num_frames > 0 ? job_.encode_s : 0;
      after(first_s + (batch->first ? job_.chunk_overhead_s : 0),
            {Event::Kind::encoded, who, batch->chunk, 0, *batch});
    }
  }

  // A frame of a batch; event.frame counts those before it.
  void encoded(const Event& event) {
    if (event.batch.num_frames > 0) {
      encode_busy_s_ += job_.encode_s;
      encoders(event.who).frame_encoded();
    }
    if (event.frame + 1 < event.batch.num_frames) {
      after(job_.encode_s, {Event::Kind::encoded, event.who, event.chunk, event.frame + 1, event.batch});
      return;
    }
    encoders(event.who).batch_encoded(event.batch);
    encode(event.who);
    if (!event.batch.last) return;
    if (job_.encode_at_workers)
      send_back({Message::Kind::segment, event.who, event.chunk, 0});
    else
      store(event.chunk);
  }

  // One thread stores and muxes.
  void store(std::int64_t chunk_index) {
    store_free_s_ = std::max(store_free_s_, now_s_) + job_.store_s;
    store_busy_s_ += job_.store_s;
    at(store_free_s_, {Event::Kind::stored, 0, chunk_index});
  }

  void stored(std::int64_t chunk_index) {
    may_deal_ = true;
    scheduler_.finished(chunk_index);
    ++num_stored_;
    result_.chunk_stored_s[static_cast<std::size_t>(chunk_index)] = now_s_;
    result_.last_stored_s = now_s_;
    const ChunkState& state = chunk(chunk_index);
    // A frame in work is half done on average.
    unstored_s_ += (now_s_ + job_.style_s / 2) * static_cast<double>(state.num_styled) - state.styled_sum_s;
  }

  Simulation finish() {
    // A worker that comes too late to get a chunk is waited for, to say goodbye.
    result_.wall_s = now_s_ + job_.finish_s;
    const double dealing_s = result_.last_stored_s - job_.startup_s;
    result_.mean_unstored_frames = dealing_s > 0 ? unstored_s_ / dealing_s : 0;
    result_.stages = {
        {"decode", decode_busy_s_, job_.decode_at_workers ? num_workers_ * job_.num_decoders : 1},
        {"messages", hub_.busy_s, 1},
        {"network out", network_out_.busy_s, 1},
        {"network in", network_in_.busy_s, 1},
        {"style", style_busy_s_, num_workers_ * job_.threads_per_worker},
        {"encode", encode_busy_s_, static_cast<int>(encoders_.size()) * job_.num_encoders},
        {"store", store_busy_s_, 1}};
    return std::move(result_);
  }

  const JobModel& job_;
  int num_workers_;
  schedule::ChunkScheduler scheduler_;
  std::int64_t decode_capacity_;
  std::size_t max_sending_bytes_;
  std::int64_t max_waiting_;
  Lane hub_;  // the root's main thread
  Lane network_out_;
  Lane network_in_;
  std::int64_t num_chunks_;
  std::vector<WorkerState> workers_;
  std::vector<EncoderQueue> encoders_;  // the root's, or one for each worker
  std::vector<ChunkState> chunks_;

  std::priority_queue<Event> events_;
  std::int64_t num_events_ = 0;
  double now_s_ = 0;

  bool opened_ = false;
  bool decoding_ = false;
  std::int64_t num_decode_begun_ = 0;
  std::int64_t num_decoded_ = 0;
  std::int64_t num_popped_ = 0;
  std::optional<std::int64_t> next_frame_;
  std::optional<std::int64_t> filling_;
  bool may_deal_ = false;  // false: the scheduler has said no, and nothing has changed since
  std::size_t sending_bytes_ = 0;
  std::int64_t num_stored_ = 0;
  double store_free_s_ = 0;

  double decode_busy_s_ = 0;
  double style_busy_s_ = 0;
  double encode_busy_s_ = 0;
  double store_busy_s_ = 0;
  double unstored_s_ = 0;
  Simulation result_;
};

}  // namespace

Simulation simulate(const JobModel& model) {
  if (model.num_frames < 1 || model.chunk_frames < 1)
    throw JobError("a job without frames cannot be simulated", "internal error");
  if (model.worker_ready_s.empty())
    throw JobError("a job without workers cannot be simulated", "internal error");
  return Model(model).run();
}

}  // namespace atelier::planning
