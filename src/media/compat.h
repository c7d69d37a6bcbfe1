#pragma once

// What differs between FFmpeg 5.1 (Debian 12), 6.1 (Ubuntu 24.04) and 7.1 (Debian 13), and nothing else.
// The numbers are those of FFmpeg's doc/APIchanges.

#include <cstddef>
#include <cstdint>

#include "libav.h"

extern "C" {
#include <libavutil/version.h>
}

namespace atelier::media::compat {

#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
#define ATELIER_MEDIA_CODED_SIDE_DATA 1
#else
#define ATELIER_MEDIA_CODED_SIDE_DATA 0
#endif
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
#define ATELIER_MEDIA_FRAME_FLAGS 1
#else
#define ATELIER_MEDIA_FRAME_FLAGS 0
#endif

#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 44, 100)
#define ATELIER_MEDIA_AMBIENT_VIEWING 1  // of frames
#else
#define ATELIER_MEDIA_AMBIENT_VIEWING 0
#endif
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 39, 100)
#define ATELIER_MEDIA_AMBIENT_VIEWING_STREAM 1  // of streams
#else
#define ATELIER_MEDIA_AMBIENT_VIEWING_STREAM 0
#endif
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 19, 100)
#define ATELIER_MEDIA_FRAME_CROPPING 1  // of containers: shown and written since 7.1
#else
#define ATELIER_MEDIA_FRAME_CROPPING 0
#endif

inline int num_stream_side_data(const AVStream& stream) {
#if ATELIER_MEDIA_CODED_SIDE_DATA
  return stream.codecpar->nb_coded_side_data;
#else
  return stream.nb_side_data;
#endif
}

inline const AVPacketSideData& stream_side_data(const AVStream& stream, int index) {
#if ATELIER_MEDIA_CODED_SIDE_DATA
  return stream.codecpar->coded_side_data[index];
#else
  return stream.side_data[index];
#endif
}

/// A new block of stream side data for the muxer to write, or nullptr when memory is short.
inline std::uint8_t* new_stream_side_data(AVStream& stream, AVPacketSideDataType type,
                                          std::size_t size_bytes) {
#if ATELIER_MEDIA_CODED_SIDE_DATA
  AVPacketSideData* entry = av_packet_side_data_new(
      &stream.codecpar->coded_side_data, &stream.codecpar->nb_coded_side_data, type, size_bytes, 0);
  return entry == nullptr ? nullptr : entry->data;
#else
  return av_stream_new_side_data(&stream, type, size_bytes);
#endif
}

/// True for a still picture (HEIC) whose video streams are its tiles.
inline bool is_in_tiles([[maybe_unused]] const AVFormatContext& input) {
#if LIBAVFORMAT_VERSION_MAJOR >= 61
  for (unsigned i = 0; i < input.nb_stream_groups; ++i)
    if (input.stream_groups[i]->type == AV_STREAM_GROUP_PARAMS_TILE_GRID) return true;
#endif
  return false;
}

inline bool is_interlaced(const AVFrame& frame) {
#if ATELIER_MEDIA_FRAME_FLAGS
  return (frame.flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
  return frame.interlaced_frame != 0;
#endif
}

inline bool is_top_field_first(const AVFrame& frame) {
#if ATELIER_MEDIA_FRAME_FLAGS
  return (frame.flags & AV_FRAME_FLAG_TOP_FIELD_FIRST) != 0;
#else
  return frame.top_field_first != 0;
#endif
}

inline void set_fields(AVFrame& frame, bool interlaced, bool top_field_first) {
#if ATELIER_MEDIA_FRAME_FLAGS
  frame.flags &= ~(AV_FRAME_FLAG_INTERLACED | AV_FRAME_FLAG_TOP_FIELD_FIRST);
  if (interlaced) frame.flags |= AV_FRAME_FLAG_INTERLACED;
  if (top_field_first) frame.flags |= AV_FRAME_FLAG_TOP_FIELD_FIRST;
#else
  frame.interlaced_frame = interlaced ? 1 : 0;
  frame.top_field_first = top_field_first ? 1 : 0;
#endif
}

/// In the stream's time base; 0: unknown.
inline std::int64_t frame_duration(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
  return frame.duration;
#else
  return frame.pkt_duration;
#endif
}

/// Lets decoding threads call get_buffer2 themselves; later releases always do.
inline void allow_callbacks_in_threads([[maybe_unused]] AVCodecContext& context) {
#if LIBAVCODEC_VERSION_MAJOR < 60
  context.thread_safe_callbacks = 1;
#endif
}

}  // namespace atelier::media::compat
