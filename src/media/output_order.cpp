#include "output_order.h"

#include <algorithm>

namespace atelier::media {

bool OutputOrder::fail(const char* why) {
  if (obstacle_.empty()) obstacle_ = why;
  return false;
}

bool OutputOrder::add(Frame frame, bool keyframe) {
  if (!obstacle_.empty()) return false;
  if (last_given_pts_ && frame.pts_ticks <= *last_given_pts_) return fail("the times of its frames go back");
  if (keyframe && newest_pts_ && frame.pts_ticks < *newest_pts_)
    return fail("a frame decoded before a keyframe is shown after it");
  const auto same = waiting_.lower_bound({frame.pts_ticks, INT64_MIN});
  if (same != waiting_.end() && same->first == frame.pts_ticks) return fail("two frames have the same time");
  waiting_.insert({frame.pts_ticks, num_added_});
  packets_.emplace_back(num_added_, frame.packet);
  unchecked_.push_back({frame, num_added_++});
  newest_pts_ = std::max(frame.pts_ticks, newest_pts_.value_or(frame.pts_ticks));
  while (static_cast<std::int64_t>(unchecked_.size()) > lookahead_)
    if (!check_oldest()) return false;
  return true;
}

// A time far ahead of those of its neighbours.
bool OutputOrder::check_oldest() {
  const Shown oldest = unchecked_.front();
  unchecked_.pop_front();
  const auto num_before = std::count_if(unchecked_.begin(), unchecked_.end(), [&](const Shown& later) {
    return later.frame.pts_ticks < oldest.frame.pts_ticks;
  });
  return num_before <= max_reorder_ || fail("the times of its frames are irregular");
}

bool OutputOrder::finish() {
  while (!unchecked_.empty())
    if (!check_oldest()) return false;
  finished_ = true;
  return obstacle_.empty();
}

std::optional<OutputOrder::Frame> OutputOrder::pop() {
  if (!obstacle_.empty() || waiting_.empty()) return std::nullopt;
  const auto [pts, count] = *waiting_.begin();
  if (!finished_ && !unchecked_.empty() && count >= unchecked_.front().count) return std::nullopt;
  waiting_.erase(waiting_.begin());
  const auto packet = std::lower_bound(packets_.begin(), packets_.end(), std::pair{count, INT64_MIN});
  const Frame frame{pts, packet->second};
  packets_.erase(packet);
  last_given_pts_ = pts;
  return frame;
}

std::optional<std::int64_t> OutputOrder::oldest_packet() const {
  if (packets_.empty()) return std::nullopt;
  return packets_.front().second;
}

}  // namespace atelier::media
