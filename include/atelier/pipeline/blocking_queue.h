#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace atelier::pipeline {

/// A queue between threads that holds at most a number of items. After close() nothing more goes in.
template <typename Item>
class BlockingQueue {
 public:
  explicit BlockingQueue(std::size_t capacity) : capacity_(capacity) {}

  /// Waits for room. False: the queue was closed and the item dropped.
  bool push(Item item) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return items_.size() < capacity_ || closed_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    arrived_.notify_one();
    return true;
  }

  /// Waits for an item. nullopt: closed and empty.
  std::optional<Item> pop() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return !items_.empty() || closed_; });
    return take();
  }

  /// Waits until there is an item or the time is over.
  void wait_for(std::chrono::microseconds limit) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, limit, [&] { return !items_.empty() || closed_; });
  }

  /// Never waits.
  std::optional<Item> try_pop() {
    const std::lock_guard lock(mutex_);
    return take();
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_all();
    arrived_.notify_all();
  }

  [[nodiscard]] bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

  /// Closed, and nothing left to pop.
  [[nodiscard]] bool exhausted() const {
    const std::lock_guard lock(mutex_);
    return closed_ && items_.empty();
  }

 private:
  std::optional<Item> take() {
    if (items_.empty()) return std::nullopt;
    std::optional<Item> item(std::move(items_.front()));
    items_.pop_front();
    room_.notify_one();
    return item;
  }

  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable arrived_;
  std::deque<Item> items_;
  std::size_t capacity_;
  bool closed_ = false;
};

}  // namespace atelier::pipeline
