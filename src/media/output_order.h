#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace atelier::media {

/// The order in which frames are shown, from the times of packets in decoding order; nothing is decoded.
/// Pure.
///
/// It holds only for a video that keeps to the rules: each frame has a time of its own, none is shown more
/// than max_reorder frames later than decoded, and none decoded before a keyframe is shown after it. Anything
/// else is an obstacle, and is noticed before a frame next to it is given out.
class OutputOrder {
 public:
  struct Frame {
    std::int64_t pts_ticks = 0;
    std::int64_t packet = 0;  ///< its number
  };

  /// max_reorder: frames that may be decoded after a frame and shown before it; 0: both orders are the same.
  explicit OutputOrder(int max_reorder) : max_reorder_(max_reorder), lookahead_(2 * max_reorder + 1) {}

  /// A packet that gives a frame. False: see obstacle(); frames that were given out stay right.
  bool add(Frame frame, bool keyframe);
  /// No more will come. False: see obstacle().
  bool finish();
  /// The next frame to be shown, or nullopt where it is not known yet.
  std::optional<Frame> pop();

  /// Why the order is not known; empty: it is.
  [[nodiscard]] const std::string& obstacle() const { return obstacle_; }
  /// Number of the first packet whose frame is still to be given out; nullopt: none waits.
  [[nodiscard]] std::optional<std::int64_t> oldest_packet() const;

 private:
  struct Shown {
    Frame frame;
    std::int64_t count;  // of frames before it, in decoding order
  };
  bool fail(const char* why);
  bool check_oldest();

  int max_reorder_;
  std::int64_t lookahead_;  // frames
  std::deque<Shown> unchecked_;
  std::set<std::pair<std::int64_t, std::int64_t>> waiting_;    // pts and count of frames not given out
  std::deque<std::pair<std::int64_t, std::int64_t>> packets_;  // count and packet of frames not given out
  std::int64_t num_added_ = 0;
  std::optional<std::int64_t> newest_pts_;  // the latest of all
  std::optional<std::int64_t> last_given_pts_;
  bool finished_ = false;
  std::string obstacle_;
};

}  // namespace atelier::media
