#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::schedule {

/// Items that arrive in any order and leave by their index: first, first + 1, … Pure.
template <typename Item>
class ReorderBuffer {
 public:
  explicit ReorderBuffer(std::int64_t first = 0) : next_(first) {}

  /// Throws JobError for an index that has left already or is held twice.
  void push(std::int64_t index, Item item) {
    if (index < next_ || !items_.emplace(index, std::move(item)).second) {
      throw JobError(concat("item ", index, " arrived twice"), "internal protocol error");
    }
  }

  /// The item whose turn it is, or nullopt if it has not arrived.
  std::optional<Item> pop() {
    const auto it = items_.find(next_);
    if (it == items_.end()) return std::nullopt;
    std::optional<Item> item(std::move(it->second));
    items_.erase(it);
    ++next_;
    return item;
  }

  [[nodiscard]] bool ready() const { return items_.contains(next_); }
  /// The index that leaves next.
  [[nodiscard]] std::int64_t next() const { return next_; }
  /// Items held.
  [[nodiscard]] std::size_t size() const { return items_.size(); }

 private:
  std::int64_t next_;
  std::map<std::int64_t, Item> items_;
};

}  // namespace atelier::schedule
