#include "atelier/pipeline/decoding_protocol.h"

#include "atelier/base/byte_stream.h"
#include "atelier/frame/message_bytes.h"

namespace atelier::pipeline {

Buffer pack(const DecodedChunk& chunk) {
  ByteWriter out;
  out.put_text(chunk.fault);
  out.put(chunk.hash);
  out.put(chunk.num_decoded_frames);
  return Buffer(out.bytes());
}

DecodedChunk unpack_decoded_chunk(const Buffer& bytes) {
  return read_message(bytes.bytes(), [](ByteReader& in) {
    DecodedChunk chunk;
    chunk.fault = in.get_text();
    chunk.hash = in.get<std::uint64_t>();
    chunk.num_decoded_frames = in.get<std::int64_t>();
    return chunk;
  });
}

}  // namespace atelier::pipeline
