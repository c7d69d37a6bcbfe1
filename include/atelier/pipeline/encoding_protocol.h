#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "atelier/base/buffer.h"
#include "atelier/frame/frame.h"
#include "atelier/frame/segment.h"
#include "atelier/media/encoder.h"

namespace atelier::pipeline {

struct EncodedChunk {
  Segment segment;
  std::vector<float> encode_s;  ///< of each frame, with its share of the flush at the end
  /// By the clock of the process that encoded it: when each frame was given to the encoder, when the encoder
  /// was flushed, when that was done.
  std::vector<double> begin_s = {};
  double flush_begin_s = 0;
  double end_s = 0;
  double clock_s = 0;  ///< that clock as a worker sends the chunk; 0: the root encoded it, by the job's clock
};

/// Payloads of the messages that only jobs with `--encode workers` exchange.
Buffer pack(const FrameInfo& info);
Buffer pack(const EncodedChunk& chunk);
Buffer pack(const media::EncoderConfig& config);

/// Each throws JobError for bytes that pack did not make.
FrameInfo unpack_frame_info(const Buffer& bytes);
EncodedChunk unpack_encoded_chunk(const Buffer& bytes);
media::EncoderConfig unpack_encoder(std::span<const std::byte> bytes);

}  // namespace atelier::pipeline
