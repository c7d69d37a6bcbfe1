#pragma once

#include <span>
#include <string>

#include "atelier/base/byte_stream.h"
#include "atelier/frame/time_base.h"
#include "atelier/frame/video_format.h"

namespace atelier {

/// What all messages between ranks share: how they are refused, and how plain data are coded in them. Both
/// ends are the same build.

/// Throws JobError: a message is not what its sender's counterpart makes.
[[noreturn]] void throw_malformed_message(const std::string& why);

/// What read(ByteReader&) makes of all the bytes. Throws JobError if they are too few or too many.
template <typename Read>
auto read_message(std::span<const std::byte> bytes, Read read) {
  try {
    ByteReader in(bytes);
    auto value = read(in);
    if (!in.at_end()) throw ByteReader::Cut();
    return value;
  } catch (const ByteReader::Cut& e) {
    throw_malformed_message(e.what());
  }
}

void put(ByteWriter& out, const Rational& value);
void put(ByteWriter& out, const VideoFormat& format);

/// Both throw ByteReader::Cut.
Rational get_rational(ByteReader& in);
VideoFormat get_format(ByteReader& in);

}  // namespace atelier
