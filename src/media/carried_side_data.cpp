#include "carried_side_data.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <set>
#include <string_view>

#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "side_data.h"

extern "C" {
#include <libavutil/opt.h>
}

namespace atelier::media {
namespace {

/// Once a process: the same holds for every chunk.
void warn_of_loss(int type, const EncoderConfig& config) {
  static std::mutex mutex;
  static std::set<int> said;
  const auto& known = config.known_losses;
  if (is_of_whole_stream(type) || std::find(known.begin(), known.end(), type) != known.end()) return;
  const std::lock_guard lock(mutex);
  if (said.insert(type).second)
    log::warning(concat("Side data of frames are lost from some frame on: encoder ", config.encoder,
                        " cannot write ", frame_side_data_name(type), "."));
}

std::optional<SeiCodec> codec_of(const std::string& encoder) {
  if (encoder == "libx264" || encoder == "libx264rgb") return SeiCodec::h264;
  if (encoder == "libx265") return SeiCodec::hevc;
  return std::nullopt;
}

std::span<const std::byte> bytes_of(const AVFrameSideData& data) {
  return {reinterpret_cast<const std::byte*>(data.data), data.size};
}

std::vector<std::uint32_t> timecodes_of(const AVFrameSideData& data) {
  std::vector<std::uint32_t> timecodes(data.size / sizeof(std::uint32_t));
  if (!timecodes.empty()) std::memcpy(timecodes.data(), data.data, timecodes.size() * sizeof(std::uint32_t));
  return timecodes;
}

/// Also true where the user has told the encoder not to. FFmpeg 7.1's libx265 has the option, but off.
bool writes_captions(const EncoderConfig& config, const AVCodecContext& encoder) {
  std::int64_t value = 0;
  const bool has_option =
      encoder.codec->priv_class != nullptr && av_opt_get_int(encoder.priv_data, "a53cc", 0, &value) >= 0;
  const bool is_asked = std::any_of(config.options.begin(), config.options.end(),
                                    [](const auto& option) { return option.first == "a53cc"; });
  return has_option && (value != 0 || is_asked);
}

}  // namespace

CarriedSideData::CarriedSideData(const EncoderConfig& config, const AVCodecContext& encoder)
    : config_(config),
      frame_rate_(encoder.framerate),
      writes_captions_(writes_captions(config, encoder)),
      codec_(codec_of(config.encoder)) {}

std::optional<SeiMessage> CarriedSideData::message_of(const AVFrameSideData& data) const {
  if (!codec_ || data.size == 0) return std::nullopt;
  const bool hevc = codec_ == SeiCodec::hevc;
  switch (data.type) {
    case AV_FRAME_DATA_A53_CC:
      return caption_message(bytes_of(data));
    case AV_FRAME_DATA_AFD:
      if (hevc) return std::nullopt;
      return active_format_message(data.data[0]);
    case AV_FRAME_DATA_SEI_UNREGISTERED:
      return unregistered_message(bytes_of(data));
    case AV_FRAME_DATA_DYNAMIC_HDR_PLUS:
      if (!hevc || data.size < sizeof(AVDynamicHDRPlus)) return std::nullopt;
      return hdr10_plus_message(*reinterpret_cast<const AVDynamicHDRPlus*>(data.data));
    case AV_FRAME_DATA_S12M_TIMECODE:
      if (!hevc) return std::nullopt;
      return timecode_message(timecodes_of(data), frame_rate_);
    default:
      return std::nullopt;
  }
}

void CarriedSideData::note(std::int64_t number, const AVFrame& frame,
                           const std::vector<std::byte>& side_data) {
  for (const SideDataEntry& entry : unpack_entries(side_data))
    if (entry.data.empty()) warn_of_loss(entry.type, config_);
  for (int i = 0; i < frame.nb_side_data; ++i) {
    const AVFrameSideData& data = *frame.side_data[i];
    if (data.type == AV_FRAME_DATA_A53_CC && writes_captions_) continue;
    if (data.type == AV_FRAME_DATA_S12M_TIMECODE && codec_ == SeiCodec::h264)
      picture_timecodes_[number] = timecodes_of(data);
    else if (data.type == AV_FRAME_DATA_DYNAMIC_HDR_PLUS && config_.encoder == "libvpx-vp9")
      hdr10_plus_.insert(number);
    else if (std::optional<SeiMessage> message = message_of(data))
      messages_[number].push_back(std::move(*message));
    else
      warn_of_loss(data.type, config_);
  }
}

void CarriedSideData::add_to(std::int64_t number, const AVPacket& encoded, std::vector<std::byte>& bytes) {
  if (hdr10_plus_.erase(number) > 0 &&
      av_packet_get_side_data(&encoded, AV_PKT_DATA_DYNAMIC_HDR10_PLUS, nullptr) == nullptr)
    warn_of_loss(AV_FRAME_DATA_DYNAMIC_HDR_PLUS, config_);
  if (const auto timecodes = picture_timecodes_.extract(number);
      !timecodes.empty() && !set_picture_timecodes(bytes, timecodes.mapped(), frame_rate_))
    warn_of_loss(AV_FRAME_DATA_S12M_TIMECODE, config_);
  const auto found = messages_.extract(number);
  if (found.empty() || !codec_) return;
  const std::vector<std::byte> unit = sei_unit(*codec_, found.mapped());
  const auto at = static_cast<std::ptrdiff_t>(first_slice(*codec_, bytes));
  bytes.insert(bytes.begin() + at, unit.begin(), unit.end());
}

}  // namespace atelier::media
