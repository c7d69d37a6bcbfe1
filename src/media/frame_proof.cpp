#include "frame_proof.h"

#include <array>
#include <vector>

#include "atelier/base/hash.h"
#include "frame_description.h"

extern "C" {
#include <libavutil/imgutils.h>
}

namespace atelier::media {

bool FrameProof::meets(const AVFrame& frame) {
  if (hashes_.empty() || hashes_.front() != hash_of(frame)) return false;
  hashes_.pop_front();
  return true;
}

std::uint64_t FrameProof::hash_of(const AVFrame& frame) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const int size_bytes =
      check_av(av_image_get_buffer_size(format, frame.width, frame.height, 1), "a frame has no size");
  std::vector<std::uint8_t> samples(static_cast<std::size_t>(size_bytes));
  check_av(av_image_copy_to_buffer(samples.data(), size_bytes, frame.data, frame.linesize, format,
                                   frame.width, frame.height, 1),
           "a frame cannot be copied");
  FrameInfo info;
  describe_frame(frame, info);
  const std::array<std::int64_t, 14> rest = {frame.best_effort_timestamp,
                                             info.duration_ticks,
                                             info.interlaced ? 1 : 0,
                                             info.top_field_first ? 1 : 0,
                                             info.repeat_pict,
                                             frame.format,
                                             frame.width,
                                             frame.height,
                                             frame.sample_aspect_ratio.num,
                                             frame.sample_aspect_ratio.den,
                                             frame.color_range,
                                             frame.color_primaries,
                                             frame.color_trc,
                                             frame.colorspace};
  Hasher hasher;
  hasher.update(std::as_bytes(std::span(samples)));
  hasher.update(std::as_bytes(std::span(rest)));
  hasher.update(info.side_data);
  return hasher.digest();
}

}  // namespace atelier::media
