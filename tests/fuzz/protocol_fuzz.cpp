#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>

#include "atelier/base/error.h"
#include "atelier/media/packet_chunk.h"
#include "atelier/pipeline/decoding_protocol.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/pipeline/protocol.h"
#include "packet_hash.h"
#include "side_data_entries.h"

namespace {

namespace media = atelier::media;
namespace pipeline = atelier::pipeline;
using atelier::Buffer;
using Bytes = std::span<const std::byte>;

/// pack_again: unpacks, throws JobError for bytes that are no message, and packs. What is taken must come out
/// the same from then on.
template <typename PackAgain>
void check(Bytes bytes, PackAgain pack_again) {
  std::optional<Buffer> once;
  try {
    once.emplace(pack_again(bytes));
  } catch (const atelier::JobError&) {
    return;
  }
  if (!std::ranges::equal(pack_again(once->bytes()).bytes(), once->bytes())) std::abort();
}

std::vector<std::byte> copy_of(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

/// The first byte chooses the kind of message, or of a part that messages and segments have.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes bytes = std::as_bytes(std::span(data, size)).subspan(1);
  using pipeline::pack;
  switch (data[0]) {
    case 'h':
      check(bytes, [](Bytes b) { return pack(pipeline::unpack_hello(Buffer(b))); });
      break;
    case 's':
      check(bytes, [](Bytes b) { return pack(pipeline::unpack_setup(Buffer(b))); });
      break;
    case 'r':
      check(bytes, [](Bytes b) { return pack(pipeline::unpack_ready(Buffer(b))); });
      break;
    case 'g':
      check(bytes, [](Bytes b) { return pack(pipeline::unpack_goodbye(Buffer(b))); });
      break;
    case 'f':
      check(bytes, [](Bytes b) { return pack(pipeline::unpack_frame_info(Buffer(b))); });
      break;
    case 'c':
      check(bytes, [](Bytes b) { return pack(pipeline::unpack_encoded_chunk(Buffer(b))); });
      break;
    case 'd':
      check(bytes, [](Bytes b) { return pack(pipeline::unpack_decoded_chunk(Buffer(b))); });
      break;
    case 'p':
      check(bytes, [](Bytes b) { return media::pack(media::unpack_packet_chunk(b)); });
      break;
    case 'v':
      check(bytes, [](Bytes b) { return media::pack(media::unpack_decoder_setup(b)); });
      break;
    case 'e':
      check(bytes, [](Bytes b) { return pack(pipeline::unpack_encoder(b)); });
      break;
    case 't':
      check(bytes, [](Bytes b) { return pack(pipeline::unpack_times(Buffer(b))); });
      break;
    case 'i':
      check(bytes, [](Bytes b) { return Buffer(media::pack_entries(media::unpack_entries(copy_of(b)))); });
      break;
    case 'k':
      if (const std::optional<std::uint64_t> hash = pipeline::unpack_packet_hash(bytes);
          hash && !std::ranges::equal(pipeline::pack_packet_hash(*hash), bytes))
        std::abort();
      break;
    default:
      check(bytes, [](Bytes b) { return pack(pipeline::unpack_text(Buffer(b))); });
      break;
  }
  return 0;
}
