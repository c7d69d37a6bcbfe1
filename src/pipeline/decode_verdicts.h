#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace atelier::pipeline {

/// Which chunks that workers decode are known to be right. A chunk may be kept only when all before it are:
/// where the root must decode after all, it may find more or fewer frames, and every later chunk begins with
/// another one. Pure.
class DecodeVerdicts {
 public:
  /// The chunk is right; in any order.
  void good(std::int64_t chunk_index) {
    ahead_.insert(chunk_index);
    while (!ahead_.empty() && *ahead_.begin() == num_good_) {
      ahead_.erase(ahead_.begin());
      ++num_good_;
    }
  }
  /// Workers cannot go on: what they have decoded beyond the chunks that are known to be right is void.
  void fault(const std::string& why) {
    if (fault_.empty()) fault_ = why;
  }

  /// Chunks [0, num_good()) are right.
  [[nodiscard]] std::int64_t num_good() const { return num_good_; }
  /// Why workers cannot go on; empty: they can.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  std::int64_t num_good_ = 0;
  std::set<std::int64_t> ahead_;
  std::string fault_;
};

}  // namespace atelier::pipeline
