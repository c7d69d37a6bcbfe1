#include "carried_side_data.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "atelier/base/log.h"
#include "atelier/base/text.h"

extern "C" {
#include <libavutil/opt.h>
}

namespace atelier::media {
namespace {

constexpr std::size_t bytes_per_caption = 3;
constexpr std::size_t max_captions = 31;  // cc_count has five bits

enum class Kind { captions, hdr10_plus, timecode, num_kinds };

/// Once a process: the same holds for every chunk.
void warn_of_loss(Kind kind, const char* what, const std::string& encoder) {
  static std::array<std::atomic<bool>, static_cast<std::size_t>(Kind::num_kinds)> said{};
  if (!said.at(static_cast<std::size_t>(kind)).exchange(true))
    log::warning(concat("The frames' ", what, " is lost: encoder ", encoder, " cannot write it."));
}

/// Position of the start code of the first slice in an Annex B packet of HEVC; its size where there is none.
std::size_t first_slice(const std::vector<std::byte>& packet) {
  for (std::size_t i = 0; i + 3 < packet.size(); ++i) {
    if (packet[i] != std::byte{0} || packet[i + 1] != std::byte{0} || packet[i + 2] != std::byte{1}) continue;
    const int unit_type = (std::to_integer<int>(packet[i + 3]) >> 1) & 0x3F;
    if (unit_type < 32) return i > 0 && packet[i - 1] == std::byte{0} ? i - 1 : i;
  }
  return packet.size();
}

}  // namespace

std::vector<std::byte> hevc_caption_unit(std::span<const std::byte> cc_data) {
  const std::size_t count = std::min(cc_data.size() / bytes_per_caption, max_captions);
  std::vector<int> payload{0xB5, 0x00, 0x31, 'G', 'A', '9', '4', 0x03, static_cast<int>(0x40 | count), 0xFF};
  for (std::size_t i = 0; i < count * bytes_per_caption; ++i)
    payload.push_back(std::to_integer<int>(cc_data[i]));
  payload.push_back(0xFF);
  std::vector<std::byte> unit;
  for (const int byte : {0, 0, 0, 1, 0x4E, 0x01, 4, static_cast<int>(payload.size())})
    unit.push_back(static_cast<std::byte>(byte));
  payload.push_back(0x80);
  int num_zeros = 0;
  for (const int byte : payload) {
    if (num_zeros >= 2 && byte <= 3) {
      unit.push_back(std::byte{3});  // emulation prevention
      num_zeros = 0;
    }
    unit.push_back(static_cast<std::byte>(byte));
    num_zeros = byte == 0 ? num_zeros + 1 : 0;
  }
  return unit;
}

CarriedSideData::CarriedSideData(const EncoderConfig& config, const AVCodecContext& encoder)
    : encoder_(config.encoder),
      writes_captions_(encoder.codec->priv_class != nullptr &&
                       av_opt_find(encoder.priv_data, "a53cc", nullptr, 0, 0) != nullptr),
      inserts_captions_(!writes_captions_ && config.encoder == "libx265") {}

void CarriedSideData::note(std::int64_t number, const AVFrame& frame) {
  const auto index = static_cast<std::size_t>(number);
  if (captions_.size() <= index) captions_.resize(index + 1);
  if (frame.nb_side_data == 0) return;
  if (const AVFrameSideData* data = av_frame_get_side_data(&frame, AV_FRAME_DATA_A53_CC); data != nullptr) {
    const auto* bytes = reinterpret_cast<const std::byte*>(data->data);
    if (inserts_captions_) captions_[index].assign(bytes, bytes + data->size);
    if (!inserts_captions_ && !writes_captions_) warn_of_loss(Kind::captions, "captions", encoder_);
  }
  if (av_frame_get_side_data(&frame, AV_FRAME_DATA_DYNAMIC_HDR_PLUS) != nullptr)
    warn_of_loss(Kind::hdr10_plus, "HDR10+ metadata", encoder_);
  if (av_frame_get_side_data(&frame, AV_FRAME_DATA_S12M_TIMECODE) != nullptr)
    warn_of_loss(Kind::timecode, "timecode", encoder_);
}

void CarriedSideData::add_to(std::int64_t number, std::vector<std::byte>& packet) {
  const std::vector<std::byte>& captions = captions_.at(static_cast<std::size_t>(number));
  if (captions.empty()) return;
  const std::vector<std::byte> unit = hevc_caption_unit(captions);
  packet.insert(packet.begin() + static_cast<std::ptrdiff_t>(first_slice(packet)), unit.begin(), unit.end());
}

}  // namespace atelier::media
