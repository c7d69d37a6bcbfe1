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
  std::vector<float> encode_s;  ///< of each frame
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
