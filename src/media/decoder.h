#pragma once

#include <memory>
#include <string>

#include "libav.h"
#include "libav_log.h"

namespace atelier::media {

/// One decoder of FFmpeg.
class Decoder {
 public:
  enum class Result { frame, needs_packet, end, error };
  /// The fault of a frame that lacks blocks without a word from FFmpeg. Only strict decoders see it.
  static constexpr const char* missing_part = "a part of a frame is missing";

  /// strict: any fault of the bit stream is an error, reported in decoding order; else faults are concealed,
  /// as ffprobe does. Throws UsageError when FFmpeg has no decoder for the codec.
  /// max_side_px: larger frames are an error before any sample is decoded; 0: no limit.
  Decoder(const AVCodecParameters& codec, AVRational time_base, int num_threads, bool strict,
          int max_side_px = 0);

  /// packet null: drains.
  Result send(const AVPacket* packet);
  Result receive(AVFrame& frame);
  /// Forgets all packets and frames, also after draining.
  void flush() { avcodec_flush_buffers(context_.get()); }
  /// FFmpeg's text of the last error.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  /// True after a frame above max_side_px.
  [[nodiscard]] bool too_large() const { return watch_->too_large; }
  /// True where the log tells of a fault that take_fault did not take.
  [[nodiscard]] bool has_fault() const { return watch_->num_faults > 0; }
  /// The first fault in the log since the last call, whether or not it was an error too; empty: none.
  std::string take_fault() { return watch_->take_fault(); }

 private:
  std::unique_ptr<DecoderWatch> watch_;  ///< where context_ finds it
  CodecContextPtr context_;
  std::string problem_;
  bool finds_gaps_ = false;  ///< frames come with marks where nothing was decoded
};

/// Matroska's AlphaMode, as FFmpeg shows it among a stream's metadata.
inline constexpr const char* alpha_mode_key = "alpha_mode";

/// True where a Decoder can give that transparency.
bool reads_alpha_beside(AVCodecID codec);

/// True for VP8 and VP9 whose packets bring transparency in a second picture beside the first (WebM's
/// AlphaMode). A Decoder gives it where the format of its codec parameters has alpha.
bool says_alpha_beside(const AVStream& stream);

/// True for codecs whose damaged frames depend on the number of threads without a word from FFmpeg; H.264 is
/// none of them, for it can be strict.
bool needs_one_thread(AVCodecID codec);

/// True for frames that the decoder says are damaged or concealed.
bool is_damaged(const AVFrame& frame);

}  // namespace atelier::media
