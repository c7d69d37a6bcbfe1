#include "nal_units.h"

#include <algorithm>

namespace atelier::media {
namespace {

std::vector<Bytes> split_at_start_codes(Bytes bytes) {
  std::vector<Bytes> units;
  std::size_t begin = bytes.size();  // of the unit at hand; none yet
  const auto end_unit = [&](std::size_t end) {
    while (end > begin && bytes[end - 1] == 0) --end;
    if (end > begin) units.push_back(bytes.subspan(begin, end - begin));
  };
  for (std::size_t i = 0; i + 3 <= bytes.size();) {
    if (bytes[i + 2] > 1) {
      i += 3;
    } else if (bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1) {
      end_unit(i);
      i += 3;
      begin = i;
    } else {
      ++i;
    }
  }
  end_unit(bytes.size());
  return units;
}

/// Units with lengths in front; empty where they do not fill the bytes.
std::vector<Bytes> split_at_lengths(Bytes bytes, std::size_t length_bytes, std::size_t max_units) {
  std::vector<Bytes> units;
  while (!bytes.empty() && units.size() < max_units) {
    if (bytes.size() < length_bytes) return {};
    std::size_t size = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8 | bytes[i];
    bytes = bytes.subspan(length_bytes);
    if (size > bytes.size()) return {};
    if (size > 0) units.push_back(bytes.first(size));
    bytes = bytes.subspan(size);
  }
  return units;
}

std::size_t bytes_of(const std::vector<Bytes>& units, std::size_t length_bytes) {
  std::size_t sum = 0;
  for (const Bytes unit : units) sum += unit.size() + length_bytes;
  return sum;
}

/// ISO/IEC 14496-15, 5.3.3.1: sequence, then picture parameter sets.
std::vector<Bytes> units_of_avcc(Bytes extradata) {
  std::vector<Bytes> all;
  std::size_t at = 5;
  for (const int mask : {0x1F, 0xFF}) {
    if (at >= extradata.size()) break;
    const auto count = static_cast<std::size_t>(extradata[at++] & mask);
    const std::vector<Bytes> units =
        count == 0 ? std::vector<Bytes>() : split_at_lengths(extradata.subspan(at), 2, count);
    at += bytes_of(units, 2);
    all.insert(all.end(), units.begin(), units.end());
  }
  return all;
}

/// ISO/IEC 14496-15, 8.3.3.1: arrays of units of a type.
std::vector<Bytes> units_of_hvcc(Bytes extradata) {
  std::vector<Bytes> all;
  std::size_t at = 23;
  for (int arrays = extradata[22]; arrays > 0 && at + 3 <= extradata.size(); --arrays) {
    const std::size_t count = static_cast<std::size_t>(extradata[at + 1]) << 8 | extradata[at + 2];
    at += 3;
    const std::vector<Bytes> units =
        count == 0 ? std::vector<Bytes>() : split_at_lengths(extradata.subspan(at), 2, count);
    at += bytes_of(units, 2);
    all.insert(all.end(), units.begin(), units.end());
  }
  return all;
}

}  // namespace

NalUnits::NalUnits(const AVCodecParameters& codec) {
  const Bytes extradata(codec.extradata, static_cast<std::size_t>(std::max(0, codec.extradata_size)));
  const bool hevc = codec.codec_id == AV_CODEC_ID_HEVC;
  const bool lengths =
      extradata.size() >= (hevc ? 23U : 7U) && (extradata[0] == 1 || (hevc && extradata[0] != 0));
  if (!lengths) {
    extradata_ = split_at_start_codes(extradata);
    return;
  }
  length_bytes_ = static_cast<std::size_t>(extradata[hevc ? 21 : 4] & 3) + 1;
  extradata_ = hevc ? units_of_hvcc(extradata) : units_of_avcc(extradata);
}

std::vector<Bytes> NalUnits::of_packet(Bytes packet) const {
  return length_bytes_ == 0 ? split_at_start_codes(packet)
                            : split_at_lengths(packet, length_bytes_, packet.size());
}

bool has_several_slices(const NalUnits& units, Bytes packet) {
  int num_slices = 0;
  for (const Bytes unit : units.of_packet(packet)) {
    // ITU-T H.265, 7.3.1.2 and table 7-1
    if (unit.size() < 2 || (unit[0] >> 1 & 0x3F) >= 32) continue;
    const bool first_layer = (unit[0] & 1) == 0 && unit[1] >> 3 == 0;
    if (first_layer && ++num_slices > 1) return true;
  }
  return false;
}

std::vector<std::uint8_t> without_escapes(Bytes unit, std::size_t max_bytes) {
  std::vector<std::uint8_t> out;
  int num_zeros = 0;
  for (const std::uint8_t byte : unit) {
    if (out.size() >= max_bytes) break;
    if (num_zeros >= 2 && byte == 3) {
      num_zeros = 0;
      continue;
    }
    num_zeros = byte == 0 ? num_zeros + 1 : 0;
    out.push_back(byte);
  }
  return out;
}

}  // namespace atelier::media
