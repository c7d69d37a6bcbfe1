#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "atelier/frame/frame.h"
#include "atelier/media/input_info.h"

namespace atelier::media {

struct VideoReaderConfig {
  std::filesystem::path
      path;  ///< a video, a picture, an image sequence pattern (`f_%04d.png`) or a folder of pictures
  std::optional<int> stream = {};  ///< index of the stream to style, as ffprobe shows it; nullopt: chosen
  int height_px = 0;      ///< scale to this height, width follows the aspect and is even; 0: as it is
  double start_s = 0;     ///< skip frames before this time, relative to the start of the stream
  double duration_s = 0;  ///< stop after this long; 0: to the end
  int num_threads = 0;    ///< decoder threads; 0: one a core. The frames do not depend on it
  const char* start_option = "--start";  ///< what to change where no frame is at start_s
};

/// What was wrong with the compressed input.
struct Damage {
  std::int64_t num_errors = 0;  ///< packets or frames that the decoder could not use or concealed
  std::string first_problem;    ///< one sentence that names the place; empty: none
};

/// Demuxer + Decoder of the styled stream (that which a player would show): every frame that
/// `ffprobe -show_frames` lists, in output order, at its own pts. Where the input's clock begins anew, times
/// go on from there.
///
/// Errors: UsageError, one sentence naming the file, for what cannot be read as video.
class VideoReader {
 public:
  explicit VideoReader(const VideoReaderConfig& config);
  ~VideoReader();
  VideoReader(VideoReader&&) noexcept;
  VideoReader& operator=(VideoReader&&) noexcept;

  [[nodiscard]] const InputInfo& info() const;
  /// The next frame, or nullopt at the end.
  std::optional<FramePlanes> read();
  /// So far.
  [[nodiscard]] Damage damage() const;
  /// Frames so far that were not as the first (size, pixel format, sample aspect ratio, colour), and were
  /// brought to it as far as that is possible.
  [[nodiscard]] std::int64_t num_rescaled_frames() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atelier::media
