#pragma once

#include <string>

#include "atelier/media/encoder.h"
#include "libav.h"

namespace atelier::media {

/// FFmpeg's encoder of config.encoder. Throws UsageError where this FFmpeg has none of that name.
const AVCodec& encoder_codec(const EncoderConfig& config);

/// config's encoder, opened. Throws UsageError with the library's own words where it refuses the settings.
CodecContextPtr open_encoder(const EncoderConfig& config);

/// What a container needs to know of config's encoder, and how deep it says that it reorders. Encodes a
/// frame: some libraries hang when they are closed unused.
struct EncoderFacts {
  CodecParametersPtr parameters;
  int has_b_frames = 0;
};
EncoderFacts encoder_facts(const EncoderConfig& config);

/// Frame number of a plain, dark video in format.
FramePlanes trial_frame(const VideoFormat& format, int number);

/// Collects the warnings and errors that libav logs while it lives, then makes libav quiet again.
/// One at a time, before any other thread uses libav.
class LogCapture {
 public:
  LogCapture();
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  /// The first line that names an error, else the first warning, without its line break; empty: none.
  [[nodiscard]] static std::string first_problem();
  /// The first line that holds text; empty: none.
  [[nodiscard]] static std::string line_with(const std::string& text);
};

}  // namespace atelier::media
