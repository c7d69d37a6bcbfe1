#include "atelier/frame/message_bytes.h"

#include <cstdint>

#include "atelier/base/error.h"

namespace atelier {

void throw_malformed_message(const std::string& why) {
  throw JobError("a message between ranks could not be read", why, "Start the same program on all ranks");
}

void put(ByteWriter& out, const Rational& value) {
  out.put<std::int32_t>(value.num);
  out.put<std::int32_t>(value.den);
}

Rational get_rational(ByteReader& in) {
  const auto num = in.get<std::int32_t>();
  return {num, in.get<std::int32_t>()};
}

void put(ByteWriter& out, const VideoFormat& format) {
  for (const int value :
       {format.width_px, format.height_px, static_cast<int>(format.model), format.bit_depth,
        format.log2_chroma_w, format.log2_chroma_h, static_cast<int>(format.has_alpha),
        static_cast<int>(format.range), format.matrix_coefficients, static_cast<int>(format.siting)})
    out.put<std::int32_t>(value);
  out.put_text(format.pixel_format);
}

VideoFormat get_format(ByteReader& in) {
  VideoFormat format;
  format.width_px = in.get<std::int32_t>();
  format.height_px = in.get<std::int32_t>();
  format.model = static_cast<ColorModel>(in.get<std::int32_t>());
  format.bit_depth = in.get<std::int32_t>();
  format.log2_chroma_w = in.get<std::int32_t>();
  format.log2_chroma_h = in.get<std::int32_t>();
  format.has_alpha = in.get<std::int32_t>() != 0;
  format.range = static_cast<ColorRange>(in.get<std::int32_t>());
  format.matrix_coefficients = in.get<std::int32_t>();
  format.siting = static_cast<ChromaSiting>(in.get<std::int32_t>());
  format.pixel_format = in.get_text();
  return format;
}

}  // namespace atelier
