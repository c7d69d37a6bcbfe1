#include "packet_classifier.h"

#include <algorithm>
#include <optional>

#include "atelier/base/hash.h"
#include "nal_units.h"

namespace atelier::media {
namespace {

using Kind = PacketClassifier::Kind;
using Entry = PacketClassifier::Entry;

constexpr int max_reorder_frames = 16;  // H.264 and H.265, annex A: as many as are kept

Bytes bytes_of(const AVPacket& packet) {
  return {packet.data, static_cast<std::size_t>(std::max(0, packet.size))};
}

bool is_key(const AVPacket& packet) {
  return (packet.flags & AV_PKT_FLAG_KEY) != 0;
}

/// Position of 00 00 01 and then a byte, or nullopt.
std::optional<std::size_t> find_start_code(Bytes bytes, std::uint8_t code) {
  const std::uint8_t wanted[] = {0, 0, 1, code};
  const auto found = std::search(bytes.begin(), bytes.end(), std::begin(wanted), std::end(wanted));
  if (found == bytes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - bytes.begin());
}

/// Position of FF and then a byte, or nullopt.
std::optional<std::size_t> find_marker(Bytes bytes, std::uint8_t marker) {
  const std::uint8_t wanted[] = {0xFF, marker};
  const auto found = std::search(bytes.begin(), bytes.end(), std::begin(wanted), std::end(wanted));
  if (found == bytes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - bytes.begin());
}

/// Parameter sets may change within packets; then those outside of packets are out of date, and an entry must
/// bring its own.
class ParameterSets {
 public:
  explicit ParameterSets(const NalUnits& units) {
    for (const Bytes unit : units.of_extradata()) known_.insert(hash64(std::as_bytes(unit)));
  }
  void see(Bytes unit) {
    if (known_.insert(hash64(std::as_bytes(unit))).second) changed_ = true;
  }
  [[nodiscard]] bool changed() const { return changed_; }

 private:
  std::set<std::uint64_t> known_;
  bool changed_ = false;
};

class H264 final : public PacketClassifier {
 public:
  explicit H264(const AVCodecParameters& codec) : units_(codec), sets_(units_) {}

  Kind classify(const AVPacket& packet) override {
    bool idr = false;
    bool all_intra = true;
    bool recovers = false;
    bool sps = false;
    bool pps = false;
    for (const Bytes unit : units_.of_packet(bytes_of(packet))) {
      const int type = unit[0] & 0x1F;
      if (type == slice_idr) idr = true;
      if (type == slice || type == slice_a) all_intra = all_intra && is_intra(unit);
      if (type == sei) recovers = recovers || has_recovery_point(unit);
      sps = sps || type == sequence_set;
      pps = pps || type == picture_set;
      if (type == sequence_set || type == picture_set) sets_.see(unit);
    }
    if (!is_key(packet) || (sets_.changed() && !(sps && pps))) return {};
    if (idr) return {.entry = Entry::clean};
    return {.entry = all_intra && recovers ? Entry::after_one : Entry::none};
  }
  [[nodiscard]] int max_reorder() const override { return max_reorder_frames; }

 private:
  // ITU-T H.264, table 7-1
  static constexpr int slice = 1, slice_a = 2, slice_idr = 5, sei = 6, sequence_set = 7, picture_set = 8;

  // 7.3.3: first_mb_in_slice, slice_type
  static bool is_intra(Bytes unit) {
    const std::vector<std::uint8_t> head = without_escapes(unit.subspan(1), 16);
    BitReader bits{Bytes(head)};
    bits.ue();
    const std::uint32_t type = bits.ue();
    return type == 2 || type == 7;
  }

  // D.1.8: a recovery point with recovery_frame_cnt 0; intra refresh has other counts.
  static bool has_recovery_point(Bytes unit) {
    const std::vector<std::uint8_t> payloads = without_escapes(unit.subspan(1), unit.size());
    std::size_t at = 0;
    const auto number = [&] {
      std::size_t sum = 0;
      while (at < payloads.size() && payloads[at] == 0xFF) sum += payloads[at++];
      return at < payloads.size() ? sum + payloads[at++] : sum;
    };
    while (at + 2 < payloads.size()) {
      const std::size_t type = number();
      const std::size_t size = number();
      if (type == 6) return at < payloads.size() && (payloads[at] & 0x80) != 0;
      if (size > payloads.size() - at) return false;
      at += size;
    }
    return false;
  }

  NalUnits units_;
  ParameterSets sets_;
};

class Hevc final : public PacketClassifier {
 public:
  explicit Hevc(const AVCodecParameters& codec) : units_(codec), sets_(units_) {}

  Kind classify(const AVPacket& packet) override {
    bool irap = false;
    int sets_seen = 0;
    for (const Bytes unit : units_.of_packet(bytes_of(packet))) {
      const int type = (unit[0] >> 1) & 0x3F;
      irap = irap || (type >= 16 && type <= 21);  // ITU-T H.265, table 7-1
      if (type >= 32 && type <= 34) {
        sets_seen |= 1 << (type - 32);
        sets_.see(unit);
      }
    }
    const bool entry = is_key(packet) && irap && (!sets_.changed() || sets_seen == 7);
    return {.entry = entry ? Entry::clean : Entry::none};
  }
  [[nodiscard]] int max_reorder() const override { return max_reorder_frames; }

 private:
  NalUnits units_;
  ParameterSets sets_;
};

/// A sequence header resets all. FFmpeg gives a group's timecode to the frame that is shown next, which is
/// the last one of the group before.
class Mpeg2 final : public PacketClassifier {
 public:
  Kind classify(const AVPacket& packet) override {
    const Bytes bytes = bytes_of(packet);
    const std::optional<std::size_t> header = find_start_code(bytes, 0xB3);
    const std::optional<std::size_t> picture = find_start_code(bytes, 0x00);
    const bool entry = is_key(packet) && header && picture && *header < *picture;
    return {.entry = entry ? Entry::after_one : Entry::none};
  }
  [[nodiscard]] int max_reorder() const override { return max_reorder_frames; }
  [[nodiscard]] bool looks_ahead() const override { return true; }
};

/// RFC 6386, 9.1
class Vp8 final : public PacketClassifier {
 public:
  Kind classify(const AVPacket& packet) override {
    const Bytes bytes = bytes_of(packet);
    if (bytes.empty()) return {};
    const bool key = (bytes[0] & 1) == 0;
    return {.shown = (bytes[0] & 0x10) != 0, .entry = key ? Entry::clean : Entry::none};
  }
};

/// VP9 bitstream specification, 6.2; of a superframe the first frame, one of which is shown.
class Vp9 final : public PacketClassifier {
 public:
  Kind classify(const AVPacket& packet) override {
    const Bytes bytes = bytes_of(packet);
    if (bytes.empty()) return {};
    BitReader bits(bytes);
    bits.bit();
    bits.bit();
    const bool low = bits.bit();
    const bool high = bits.bit();
    if (low && high) bits.bit();
    if (bits.bit()) return {};  // show_existing_frame
    const bool key = !bits.bit();
    const bool shown = bits.bit();
    const bool superframe = (bytes.back() & 0xE0) == 0xC0;
    return {.shown = shown || superframe, .entry = key && shown ? Entry::clean : Entry::none};
  }
};

/// AV1 bitstream specification, 5.3 and 5.9.2: a temporal unit shows one frame.
class Av1 final : public PacketClassifier {
 public:
  Kind classify(const AVPacket& packet) override {
    Bytes rest = bytes_of(packet);
    bool sequence = false;
    while (!rest.empty()) {
      const int type = (rest[0] >> 3) & 15;
      const bool has_size = (rest[0] & 2) != 0;
      rest = rest.subspan(std::min<std::size_t>(rest.size(), (rest[0] & 4) != 0 ? 2 : 1));
      std::size_t size = rest.size();
      if (has_size && !take_leb128(rest, size)) return {};
      if (type == 1) sequence = true;
      if (type == 3 || type == 6) {  // frame header, frame: show_existing_frame, frame_type, show_frame
        const bool shown_key = size > 0 && (rest[0] >> 4) == 1;
        return {.entry = is_key(packet) && sequence && shown_key ? Entry::clean : Entry::none};
      }
      rest = rest.subspan(size);
    }
    return {};
  }

 private:
  static bool take_leb128(Bytes& rest, std::size_t& value) {
    value = 0;
    for (unsigned i = 0; i < 8 && !rest.empty(); ++i) {
      const std::uint8_t byte = rest[0];
      rest = rest.subspan(1);
      value |= static_cast<std::size_t>(byte & 0x7F) << (7 * i);
      if ((byte & 0x80) == 0) return value <= rest.size();
    }
    return false;
  }
};

/// RFC 9043, 4.3: the first decision of the range coder, at even odds. Containers call every packet a
/// keyframe.
class Ffv1 final : public PacketClassifier {
 public:
  Kind classify(const AVPacket& packet) override {
    const bool key = packet.size >= 2 && (packet.data[0] << 8 | packet.data[1]) >= 0x7F80;
    return {.entry = key ? Entry::clean : Entry::none};
  }
};

/// Decoders keep tables for pictures without.
class Jpeg final : public PacketClassifier {
 public:
  Kind classify(const AVPacket& packet) override {
    const Bytes bytes = bytes_of(packet);
    const bool whole = find_marker(bytes, 0xDB) && find_marker(bytes, 0xC4);
    return {.entry = whole ? Entry::clean : Entry::none};
  }
};

class Intra final : public PacketClassifier {
 public:
  Kind classify(const AVPacket& /*packet*/) override { return {.entry = Entry::clean}; }
};

}  // namespace

std::unique_ptr<PacketClassifier> make_packet_classifier(const AVCodecParameters& codec) {
  switch (codec.codec_id) {
    case AV_CODEC_ID_H264:
      return std::make_unique<H264>(codec);
    case AV_CODEC_ID_HEVC:
      return std::make_unique<Hevc>(codec);
    case AV_CODEC_ID_MPEG2VIDEO:
      return std::make_unique<Mpeg2>();
    case AV_CODEC_ID_VP8:
      return std::make_unique<Vp8>();
    case AV_CODEC_ID_VP9:
      return std::make_unique<Vp9>();
    case AV_CODEC_ID_AV1:
      return std::make_unique<Av1>();
    case AV_CODEC_ID_FFV1:
      return std::make_unique<Ffv1>();
    case AV_CODEC_ID_MJPEG:
      return std::make_unique<Jpeg>();
    case AV_CODEC_ID_PRORES:
    case AV_CODEC_ID_DNXHD:
    case AV_CODEC_ID_DVVIDEO:
    case AV_CODEC_ID_HUFFYUV:
    case AV_CODEC_ID_FFVHUFF:
    case AV_CODEC_ID_UTVIDEO:
    case AV_CODEC_ID_MAGICYUV:
    case AV_CODEC_ID_JPEG2000:
    case AV_CODEC_ID_PNG:
    case AV_CODEC_ID_BMP:
    case AV_CODEC_ID_TIFF:
    case AV_CODEC_ID_TARGA:
    case AV_CODEC_ID_WEBP:
    case AV_CODEC_ID_EXR:
    case AV_CODEC_ID_DPX:
      return std::make_unique<Intra>();
    default:
      return nullptr;
  }
}

}  // namespace atelier::media
