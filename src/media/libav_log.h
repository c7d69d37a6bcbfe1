#pragma once

#include <atomic>
#include <cstdarg>
#include <mutex>
#include <string>

namespace atelier::media {

/// What one decoder's threads note; AVCodecContext::opaque points to it in every decoder of ours.
struct DecoderWatch {
  int max_side_px = 0;                 ///< 0: no limit
  std::atomic<bool> too_large{false};  ///< a frame was above it
  std::atomic<int> num_faults{0};      ///< errors in the log, and frames that lacked blocks
  std::mutex mutex;
  std::string first_fault;  ///< since num_faults was 0; under mutex

  void note_fault(const std::string& text);
  /// The first fault since the last call, empty: none.
  std::string take_fault();
};

/// Lets FFmpeg's log reach the DecoderWatch of the decoder that speaks. FFmpeg tells in no other way of
/// faults that were concealed on one of several threads (decode_error_flags are lost between threads), or by
/// some codecs.
void watch_decoders();

/// For whoever takes the place of our log callback for a while.
void note_decoder_fault(void* context, int level, const char* format, va_list arguments);

}  // namespace atelier::media
