#pragma once

// What the tests of VideoReader share.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "atelier/base/hash.h"
#include "atelier/media/video_reader.h"

namespace atelier::media::test_support {

struct Decoded {
  InputInfo info;
  std::vector<std::int64_t> pts;
  std::vector<std::uint64_t> hashes;
  std::vector<Buffer> planes;
  Damage damage;
  std::int64_t num_rescaled = 0;
};

inline Decoded decode(const VideoReaderConfig& config) {
  VideoReader reader(config);
  Decoded out;
  out.info = reader.info();
  while (std::optional<FramePlanes> frame = reader.read()) {
    EXPECT_EQ(frame->info.frame_index, static_cast<std::int64_t>(out.pts.size()));
    EXPECT_EQ(frame->planes.size(), frame_bytes(reader.info().format));
    out.pts.push_back(frame->info.pts_ticks);
    out.hashes.push_back(hash64(frame->planes.bytes()));
    out.planes.push_back(std::move(frame->planes));
  }
  EXPECT_FALSE(reader.read().has_value());
  out.damage = reader.damage();
  out.num_rescaled = reader.num_rescaled_frames();
  return out;
}

inline Decoded decode(const std::filesystem::path& path) {
  VideoReaderConfig config;
  config.path = path;
  return decode(config);
}

/// Exact where ffprobe has a time that goes on, one tick after the frame before where it goes back (damaged
/// files).
inline void expect_times(const std::vector<std::int64_t>& ours, std::vector<std::int64_t> want) {
  ASSERT_EQ(ours.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i] == INT64_MIN) want[i] = ours[i];
    if (i > 0) {
      want[i] = std::max(want[i], want[i - 1] + 1);
      EXPECT_GT(ours[i], ours[i - 1]);
    }
  }
  EXPECT_EQ(ours, want);
}

struct Kind {
  const char* file;
  const char* options;  ///< of the encoder
};

}  // namespace atelier::media::test_support
