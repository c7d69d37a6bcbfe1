#include "decoder.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "atelier/base/cpu_quota.h"
#include "atelier/base/text.h"
#include "compat.h"
#include "undecoded_blocks.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace atelier::media {
namespace {

/// Refuses frames with a side above the limit.
int get_small_buffer(AVCodecContext* context, AVFrame* frame, int flags) {
  auto& watch = *static_cast<DecoderWatch*>(context->opaque);
  if (frame->width > watch.max_side_px || frame->height > watch.max_side_px) {
    watch.too_large = true;
    return AVERROR(ERANGE);
  }
  return avcodec_default_get_buffer2(context, frame, flags);
}

/// A grey picture: where a slice ends early without a word, HEVC's decoder leaves what was in the buffer, and
/// buffers go round in an order that depends on threads.
int get_grey_buffer(AVCodecContext* context, AVFrame* frame, int flags) {
  const int got = avcodec_default_get_buffer2(context, frame, flags);
  if (got >= 0) fill_grey(*frame);
  return got;
}

/// The same for whoever wants to know of such slices.
int get_marked_buffer(AVCodecContext* context, AVFrame* frame, int flags) {
  const int got = get_grey_buffer(context, frame, flags);
  if (got >= 0) mark_blocks(*frame);
  return got;
}

bool has_alpha(int pixel_format) {
  const AVPixFmtDescriptor* pixels = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(pixel_format));
  return pixels != nullptr && (pixels->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
}

/// The library's own decoder, which alone reads the second picture; null: this FFmpeg lacks it, or the codec
/// has none.
const AVCodec* decoder_with_alpha(AVCodecID codec) {
  if (codec == AV_CODEC_ID_VP8) return avcodec_find_decoder_by_name("libvpx");
  if (codec == AV_CODEC_ID_VP9) return avcodec_find_decoder_by_name("libvpx-vp9");
  return nullptr;
}

const AVCodec* decoder_for(const AVCodecParameters& codec) {
  const AVCodec* found = has_alpha(codec.format) ? decoder_with_alpha(codec.codec_id) : nullptr;
  return found == nullptr ? avcodec_find_decoder(codec.codec_id) : found;
}

}  // namespace

Decoder::Decoder(const AVCodecParameters& codec, AVRational time_base, int num_threads, bool strict,
                 int max_side_px)
    : watch_(std::make_unique<DecoderWatch>()) {
  watch_decoders();
  watch_->max_side_px = max_side_px;
  const AVCodec* found = decoder_for(codec);
  if (found == nullptr)
    throw UsageError(concat("FFmpeg has no decoder for ", avcodec_get_name(codec.codec_id)), {},
                     "Convert the video to a common codec first");
  context_.reset(avcodec_alloc_context3(found));
  if (!context_) throw std::bad_alloc();
  check_av(avcodec_parameters_to_context(context_.get(), &codec), "stream parameters cannot be used");
  context_->pkt_timebase = time_base;
  constexpr int max_threads = 16;
  context_->thread_count = std::clamp(num_threads > 0 ? num_threads : num_usable_cores(), 1, max_threads);
  context_->flags |= AV_CODEC_FLAG_BITEXACT;
  if (strict && codec.codec_id == AV_CODEC_ID_H264) context_->err_recognition |= AV_EF_EXPLODE;
  context_->opaque = watch_.get();
  if (max_side_px > 0) {
    context_->get_buffer2 = get_small_buffer;
    context_->thread_type = FF_THREAD_SLICE;
  } else if (codec.codec_id == AV_CODEC_ID_HEVC) {
    finds_gaps_ = strict;
    context_->get_buffer2 = strict ? get_marked_buffer : get_grey_buffer;
    compat::allow_callbacks_in_threads(*context_);
  }
  const int opened = avcodec_open2(context_.get(), found, nullptr);
  if (opened < 0)
    throw UsageError(concat("the ", avcodec_get_name(codec.codec_id), " decoder does not open"),
                     av_error_text(opened));
  watch_->take_fault();
}

Decoder::Result Decoder::send(const AVPacket* packet) {
  const int sent = avcodec_send_packet(context_.get(), packet);
  if (sent >= 0 || sent == AVERROR_EOF) return Result::needs_packet;
  problem_ = av_error_text(sent);
  return Result::error;
}

Decoder::Result Decoder::receive(AVFrame& frame) {
  const int got = avcodec_receive_frame(context_.get(), &frame);
  if (got >= 0) {
    if (finds_gaps_ && has_undecoded_block(frame)) watch_->note_fault(missing_part);
    return Result::frame;
  }
  if (got == AVERROR(EAGAIN)) return Result::needs_packet;
  if (got == AVERROR_EOF) return Result::end;
  problem_ = av_error_text(got);
  return Result::error;
}

bool reads_alpha_beside(AVCodecID codec) {
  return decoder_with_alpha(codec) != nullptr;
}

bool says_alpha_beside(const AVStream& stream) {
  const AVDictionaryEntry* mode = av_dict_get(stream.metadata, alpha_mode_key, nullptr, 0);
  return mode != nullptr && std::string_view(mode->value) == "1" &&
         reads_alpha_beside(stream.codecpar->codec_id);
}

bool needs_one_thread(AVCodecID codec) {
  switch (codec) {
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4:
    case AV_CODEC_ID_H261:
    case AV_CODEC_ID_H263:
    case AV_CODEC_ID_H263P:
    case AV_CODEC_ID_FLV1:
    case AV_CODEC_ID_MSMPEG4V1:
    case AV_CODEC_ID_MSMPEG4V2:
    case AV_CODEC_ID_MSMPEG4V3:
    case AV_CODEC_ID_WMV1:
    case AV_CODEC_ID_WMV2:
    case AV_CODEC_ID_WMV3:
    case AV_CODEC_ID_VC1:
    case AV_CODEC_ID_RV10:
    case AV_CODEC_ID_RV20:
    case AV_CODEC_ID_RV30:
    case AV_CODEC_ID_RV40:
    case AV_CODEC_ID_VP7:
    case AV_CODEC_ID_VP8:
      return true;
    default:
      return false;
  }
}

bool is_damaged(const AVFrame& frame) {
  return frame.decode_error_flags != 0 || (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0;
}

}  // namespace atelier::media
