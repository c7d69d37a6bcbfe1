#pragma once

// Owners of libav objects, and the one check of libav return codes.

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

#include <array>
#include <memory>
#include <new>
#include <string>

#include "atelier/base/error.h"

namespace atelier::media {

struct AvDeleter {
  void operator()(AVPacket* p) const noexcept { av_packet_free(&p); }
  void operator()(AVFrame* f) const noexcept { av_frame_free(&f); }
  void operator()(AVCodecContext* c) const noexcept { avcodec_free_context(&c); }
  void operator()(AVCodecParameters* p) const noexcept { avcodec_parameters_free(&p); }
  void operator()(AVBSFContext* c) const noexcept { av_bsf_free(&c); }
  void operator()(SwsContext* c) const noexcept { sws_freeContext(c); }
};
/// Closes an input of open_demuxer (input_io.h), and the file below it.
struct AvInputCloser {
  void operator()(AVFormatContext* input) const noexcept;
};

using PacketPtr = std::unique_ptr<AVPacket, AvDeleter>;
using FramePtr = std::unique_ptr<AVFrame, AvDeleter>;
using CodecContextPtr = std::unique_ptr<AVCodecContext, AvDeleter>;
using CodecParametersPtr = std::unique_ptr<AVCodecParameters, AvDeleter>;
using BitstreamFilterPtr = std::unique_ptr<AVBSFContext, AvDeleter>;
using ScalerPtr = std::unique_ptr<SwsContext, AvDeleter>;
using InputPtr = std::unique_ptr<AVFormatContext, AvInputCloser>;

inline PacketPtr make_packet() {
  PacketPtr packet(av_packet_alloc());
  if (!packet) throw std::bad_alloc();
  return packet;
}

inline FramePtr make_frame() {
  FramePtr frame(av_frame_alloc());
  if (!frame) throw std::bad_alloc();
  return frame;
}

/// An AVDictionary that frees itself.
class Options {
 public:
  Options() = default;
  ~Options() { av_dict_free(&dict_); }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  void set(const std::string& key, const std::string& value) {
    av_dict_set(&dict_, key.c_str(), value.c_str(), 0);
  }
  [[nodiscard]] AVDictionary** get() { return &dict_; }
  /// A key nobody took, or empty.
  [[nodiscard]] std::string first_key() const {
    const AVDictionaryEntry* entry = av_dict_get(dict_, "", nullptr, AV_DICT_IGNORE_SUFFIX);
    return entry == nullptr ? std::string() : entry->key;
  }

 private:
  AVDictionary* dict_ = nullptr;
};

inline std::string av_error_text(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

/// code, or throws JobError(problem, FFmpeg's text of code) when it is negative.
inline int check_av(int code, const std::string& problem) {
  if (code < 0) throw JobError(problem, av_error_text(code));
  return code;
}

}  // namespace atelier::media
