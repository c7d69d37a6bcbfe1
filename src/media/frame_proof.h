#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "libav.h"

namespace atelier::media {

/// Frames that one decoder gave, by which another proves that it gives the same.
class FrameProof {
 public:
  void expect(const AVFrame& frame) { hashes_.push_back(hash_of(frame)); }
  /// Whether it is the next of those expected, in all that a frame has; that one is done with.
  bool meets(const AVFrame& frame);
  [[nodiscard]] std::size_t size() const { return hashes_.size(); }
  void clear() { hashes_.clear(); }

 private:
  static std::uint64_t hash_of(const AVFrame& frame);

  std::deque<std::uint64_t> hashes_;
};

}  // namespace atelier::media
