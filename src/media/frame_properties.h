#pragma once

#include <string>
#include <vector>

#include "atelier/frame/time_base.h"
#include "atelier/frame/video_format.h"
#include "libav.h"

namespace atelier::media {

/// What an output says once for all of its frames.
struct FrameProperties {
  VideoFormat format;
  Rational sample_aspect{0, 1};                 ///< 0/1: unknown
  int color_primaries = 2;                      ///< H.273; 2: unspecified
  int color_transfer = 2;                       ///< H.273
  AVFieldOrder field_order = AV_FIELD_UNKNOWN;  ///< AV_FIELD_TT or AV_FIELD_BB where fields are interleaved
};

FrameProperties properties_of(const AVFrame& frame, AVCodecID codec);

/// The same, but tags that the frame leaves open are the first frame's.
FrameProperties properties_of(const AVFrame& frame, AVCodecID codec, const FrameProperties& first);

/// A property that is not the first frame's, for messages: the two names differ.
struct PropertyChange {
  const char* name;  ///< "matrix"
  std::string now;
  std::string first;
  const char* remedy;  ///< what is done about such frames, a clause
};
std::vector<PropertyChange> changes_between(const FrameProperties& first, const FrameProperties& now);

/// Display width over height of a frame, by that of the first: 1 where both have the same shape.
double relative_shape(const FrameProperties& first, const FrameProperties& now);

}  // namespace atelier::media
