#include <cstdint>
#include <span>

#include "atelier/base/error.h"
#include "atelier/media/packet_chunk.h"
#include "atelier/pipeline/decoding_protocol.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/pipeline/protocol.h"

namespace media = atelier::media;
namespace pipeline = atelier::pipeline;

/// The first byte chooses the kind of message. Each unpack_… gives a message, which can be packed again, or
/// throws JobError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const atelier::Buffer bytes(std::as_bytes(std::span(data, size)).subspan(1));
  try {
    switch (data[0]) {
      case 'h':
        pipeline::unpack_hello(pipeline::pack(pipeline::unpack_hello(bytes)));
        break;
      case 's':
        pipeline::unpack_setup(pipeline::pack(pipeline::unpack_setup(bytes)));
        break;
      case 'r':
        pipeline::unpack_ready(pipeline::pack(pipeline::unpack_ready(bytes)));
        break;
      case 'g':
        pipeline::unpack_goodbye(pipeline::pack(pipeline::unpack_goodbye(bytes)));
        break;
      case 'f':
        pipeline::unpack_frame_info(pipeline::pack(pipeline::unpack_frame_info(bytes)));
        break;
      case 'c':
        pipeline::unpack_encoded_chunk(pipeline::pack(pipeline::unpack_encoded_chunk(bytes)));
        break;
      case 'd':
        pipeline::unpack_decoded_chunk(pipeline::pack(pipeline::unpack_decoded_chunk(bytes)));
        break;
      case 'p': {
        const atelier::Buffer again = media::pack(media::unpack_packet_chunk(bytes.bytes()));
        media::unpack_packet_chunk(again.bytes());
        break;
      }
      case 'v':
        media::unpack_decoder_setup(media::pack(media::unpack_decoder_setup(bytes.bytes())).bytes());
        break;
      case 'e':
        pipeline::unpack_encoder(pipeline::pack(pipeline::unpack_encoder(bytes.bytes())).bytes());
        break;
      case 't':
        pipeline::unpack_times(pipeline::pack(pipeline::unpack_times(bytes)));
        break;
      default:
        pipeline::unpack_text(pipeline::pack(pipeline::unpack_text(bytes)));
        break;
    }
  } catch (const atelier::JobError&) {
  }
  return 0;
}
