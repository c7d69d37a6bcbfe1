#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace atelier::schedule {

struct SchedulerConfig {
  std::int64_t window_chunks = 8;  ///< chunk c is dealt only while c < oldest unfinished + window
  int max_tries = 3;               ///< of a chunk, over all workers
  int max_worker_failures = 3;     ///< in a row, after which a worker is retired
};

/// Decides which worker gets which chunk. Pure: no I/O, no clock, no threads.
///
/// Chunks are numbered 0, 1, 2 … in the order of the video; new ones are dealt in that order, failed ones
/// first. A worker is known once it has credits; each chunk dealt takes one, each chunk finished or failed
/// gives one back.
class ChunkScheduler {
 public:
  explicit ChunkScheduler(const SchedulerConfig& config) : config_(config) {}

  /// How many chunks there are, where it is known before: then a slow worker gets none that the others would
  /// finish sooner.
  void expect_chunks(std::int64_t num_chunks) { num_chunks_ = num_chunks; }

  /// A worker has room for this many more chunks.
  void add_credits(int worker, int credits);

  struct Deal {
    int worker = 0;
    std::int64_t chunk_index = 0;
    bool retry = false;  ///< a chunk that failed before
  };
  /// The next chunk to deal and its worker: the one with most credits, of those the lowest rank; a failed
  /// chunk goes to another worker than last time where there is one with credits. nullopt: nobody has room,
  /// the window is full, or nothing is left. more_chunks: whether a chunk that was never dealt exists.
  ///
  /// A worker is slow if the others have finished more than twice their share of chunks while it worked on
  /// its last one. It gets a new chunk only when it has none: what waits there would be the last to be done.
  std::optional<Deal> deal(bool more_chunks);

  /// The next chunk that was never dealt is finished already: nobody gets it.
  void skip();
  /// The worker has styled the chunk; it is finished only after `finished`.
  void styled(int worker, std::int64_t chunk_index);
  /// The chunk is encoded and stored: the window may move.
  void finished(std::int64_t chunk_index);

  /// Chunks from this one on are dealt anew, as if they had never been. All before it are finished, nobody
  /// has any, and all credits are back.
  void rewind(std::int64_t chunk_index);

  enum class Verdict { retry, chunk_hopeless, no_worker_left };
  /// The worker could not style the chunk. retry: deal() will give it out again.
  Verdict failed(int worker, std::int64_t chunk_index);

  /// Dealt and not yet finished.
  [[nodiscard]] std::int64_t num_unfinished() const { return next_chunk_ - num_finished_; }
  [[nodiscard]] std::int64_t next_chunk() const { return next_chunk_; }
  [[nodiscard]] int num_tries(std::int64_t chunk_index) const;
  [[nodiscard]] bool retired(int worker) const;

 private:
  struct Worker {
    int credits = 0;
    int failures_in_a_row = 0;
    bool retired = false;
    int num_under_way = 0;
    std::int64_t working_since = 0;     // chunks that all had styled when it began its chunk
    std::int64_t styled_meanwhile = 0;  // by all, while it worked on its last chunk
  };
  struct Failed {
    std::int64_t chunk_index;
    int last_worker;
  };
  [[nodiscard]] std::optional<int> pick_worker(int avoid) const;
  [[nodiscard]] std::optional<int> pick_worker_for_new() const;
  [[nodiscard]] std::optional<int> pick(const std::function<bool(int, const Worker&)>& may) const;
  [[nodiscard]] std::int64_t num_left_workers() const;
  [[nodiscard]] bool slow(const Worker& worker) const;
  void take_credit(Worker& worker);

  SchedulerConfig config_;
  std::map<int, Worker> workers_;
  std::vector<Failed> failed_;
  std::map<std::int64_t, int> tries_;  // of unfinished chunks
  std::set<std::int64_t> finished_ahead_;
  std::int64_t next_chunk_ = 0;
  std::int64_t oldest_unfinished_ = 0;
  std::int64_t num_finished_ = 0;
  std::int64_t num_styled_ = 0;
  std::optional<std::int64_t> num_chunks_;
};

}  // namespace atelier::schedule
