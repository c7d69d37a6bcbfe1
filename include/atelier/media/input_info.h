#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "atelier/frame/time_base.h"
#include "atelier/frame/video_format.h"

namespace atelier::media {

/// One stream, for `atelier info`, messages and the record.
struct StreamSummary {
  int index = 0;
  std::string kind;         ///< "video", "audio", "subtitle", "data", "attachment"
  std::string codec;        ///< FFmpeg's name
  std::string description;  ///< e.g. "640x360 yuv420p 24 frames/s" or "48000 Hz stereo"
  std::string language;
  bool styled = false;
  bool cover_art = false;
};

/// The styled stream of an opened input. All ticks are in time_base.
struct InputInfo {
  std::filesystem::path path;
  std::string container;      ///< FFmpeg's demuxer name
  std::string codec;          ///< of the styled stream
  int stream_index = 0;       ///< of the styled stream
  std::string stream_choice;  ///< why that one and no other, a clause; empty: there was no choice
  VideoFormat format;         ///< of every frame that VideoReader gives (after --height)
  int coded_width_px = 0;     ///< of the first decoded frame, before --height
  int coded_height_px = 0;
  TimeBase time_base;
  Rational frame_rate;                 ///< average, or a guess; frames carry their own pts
  Rational sample_aspect{0, 1};        ///< 0/1: unknown
  Rational frame_sample_aspect{0, 1};  ///< as the first frame itself says
  int color_primaries = 2;             ///< H.273; 2: unspecified
  int color_transfer = 2;              ///< H.273
  int color_matrix_tag =
      2;  ///< H.273, as tagged in the stream (format.matrix_coefficients is the resolved one)
  int color_range_tag = 0;      ///< AVColorRange as tagged: 0 unspecified, 1 limited, 2 full
  int chroma_location_tag = 0;  ///< AVChromaLocation as tagged
  int field_order = 0;          ///< AVFieldOrder as tagged
  std::optional<std::int64_t>
      num_frames;                    ///< where the container tells (or an estimate from duration x rate)
  double duration_s = 0;             ///< 0: unknown
  std::int64_t first_pts_ticks = 0;  ///< of the first frame
  bool frame_timecodes = false;      ///< the first frame has a timecode of its own (SMPTE ST 12-1)
  std::vector<StreamSummary> streams;
  std::vector<std::byte> first_frame_side_data;  ///< of the first frame, in media's own coding
  std::vector<std::byte> stream_side_data;  ///< HDR mastering display, content light …, in media's own coding
};

}  // namespace atelier::media
