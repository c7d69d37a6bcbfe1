#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "atelier/frame/frame.h"
#include "atelier/frame/segment.h"
#include "atelier/media/input_info.h"

namespace atelier::media {

/// What the user asked for.
struct EncodeRequest {
  std::string
      codec;  ///< x264, x265, vp9, av1, ffv1, or any encoder name of the FFmpeg in use; empty: by container
  std::string preset;  ///< empty: the codec's default of ours
  std::optional<double> crf;
  std::vector<std::pair<std::string, std::string>> options;  ///< --encoder-options k=v
  std::string pixel_format;                                  ///< empty: the source's where the encoder has it
};

/// Everything an encoder needs; plain data, the same for every chunk of a job.
struct EncoderConfig {
  std::string encoder;  ///< FFmpeg's encoder name, e.g. "libx264"
  std::vector<std::pair<std::string, std::string>> options;
  std::string pixel_format;  ///< the encoder's
  VideoFormat input;         ///< layout of the frames given to SegmentEncoder
  TimeBase time_base;        ///< of pts in and out
  Rational frame_rate;
  Rational sample_aspect;
  int color_primaries = 2;
  int color_transfer = 2;
  int color_matrix_tag = 2;
  int color_range_tag = 0;
  int chroma_location_tag = 0;
  int field_order = 0;
  int num_threads = 1;        ///< fixed: the bits depend on it
  bool global_header = true;  ///< the container wants extradata
  int reorder_frames = 0;     ///< d: how many frames packets may be out of order; found by resolve_encoder
  std::vector<std::byte> stream_side_data;
  std::vector<int> known_losses;  ///< kinds of frames' side data that are lost, as rehearse() has found
};

/// Chooses encoder, pixel format and options for a container, and tries the encoder once. Call it before
/// other threads use media: it listens to what libav logs. warnings gets a sentence for everything the output
/// cannot keep (alpha, bit depth, captions …). Throws UsageError for an unknown codec, preset, option or
/// pixel format, or a codec the container cannot hold.
EncoderConfig resolve_encoder(const EncodeRequest& request, const InputInfo& input,
                              const std::filesystem::path& output, std::vector<std::string>& warnings);

/// The encoder of one chunk: opens, takes the chunk's frames in order, and is drained by finish().
/// Encoders see frame numbers as time (constant rate); packets get the frames' own pts back.
class SegmentEncoder {
 public:
  /// first_frame: the chunk's first frame index.
  SegmentEncoder(const EncoderConfig& config, std::int64_t chunk_index, std::int64_t first_frame);
  ~SegmentEncoder();
  SegmentEncoder(SegmentEncoder&&) noexcept;
  SegmentEncoder& operator=(SegmentEncoder&&) noexcept;

  void write(const FramePlanes& frame);
  Segment finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atelier::media
