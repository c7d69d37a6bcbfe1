#include "atelier/pipeline/decoding_protocol.h"

#include "atelier/base/byte_stream.h"
#include "atelier/base/error.h"

namespace atelier::pipeline {

Buffer pack(const DecodedChunk& chunk) {
  ByteWriter out;
  out.put_text(chunk.fault);
  out.put(chunk.hash);
  out.put(chunk.num_decoded_frames);
  return Buffer(out.bytes());
}

DecodedChunk unpack_decoded_chunk(const Buffer& bytes) {
  try {
    ByteReader in(bytes.bytes());
    DecodedChunk chunk;
    chunk.fault = in.get_text();
    chunk.hash = in.get<std::uint64_t>();
    chunk.num_decoded_frames = in.get<std::int64_t>();
    if (!in.at_end()) throw ByteReader::Cut();
    return chunk;
  } catch (const ByteReader::Cut& e) {
    throw JobError("a message between ranks could not be read", e.what(),
                   "Start the same program on all ranks");
  }
}

}  // namespace atelier::pipeline
