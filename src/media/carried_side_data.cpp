#include "carried_side_data.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <set>
#include <string_view>

#include "atelier/base/log.h"
#include "atelier/base/text.h"

extern "C" {
#include <libavutil/opt.h>
}

namespace atelier::media {
namespace {

struct Named {
  AVFrameSideDataType type;
  const char* name;
};
/// What may be lost and is worth a word.
constexpr Named named[] = {
    {AV_FRAME_DATA_A53_CC, "captions"},
    {AV_FRAME_DATA_DYNAMIC_HDR_PLUS, "HDR10+ metadata"},
    {AV_FRAME_DATA_DYNAMIC_HDR_VIVID, "HDR Vivid metadata"},
    {AV_FRAME_DATA_S12M_TIMECODE, "timecode"},
    {AV_FRAME_DATA_GOP_TIMECODE, "timecode of groups of pictures"},
    {AV_FRAME_DATA_AFD, "active format description"},
    {AV_FRAME_DATA_SEI_UNREGISTERED, "unregistered user data"},
};

/// Once a process: the same holds for every chunk.
void warn_of_loss(AVFrameSideDataType type, const std::string& encoder) {
  static std::mutex mutex;
  static std::set<AVFrameSideDataType> said;
  const auto* const found =
      std::find_if(std::begin(named), std::end(named), [&](const Named& n) { return n.type == type; });
  if (found == std::end(named)) return;
  const std::lock_guard lock(mutex);
  if (said.insert(type).second)
    log::warning(
        concat("The frames' ", found->name, " is lost: it cannot be written with encoder ", encoder, "."));
}

std::optional<SeiCodec> codec_of(const std::string& encoder) {
  if (encoder == "libx264" || encoder == "libx264rgb") return SeiCodec::h264;
  if (encoder == "libx265") return SeiCodec::hevc;
  return std::nullopt;
}

std::span<const std::byte> bytes_of(const AVFrameSideData& data) {
  return {reinterpret_cast<const std::byte*>(data.data), data.size};
}

/// The settings that x264 and x265 leave in a stream: they tell of an encode that is over.
bool is_encoder_settings(std::span<const std::byte> uuid_and_data) {
  static constexpr std::string_view uuids[] = {
      {"\xdc\x45\xe9\xbd\xe6\xd9\x48\xb7\x96\x2c\xd8\x20\xd9\x23\xee\xef", 16},
      {"\x2c\xa2\xde\x09\xb5\x17\x47\xdb\xbb\x55\xa4\xfe\x7f\xc2\xfc\x4e", 16}};
  const std::string_view bytes(reinterpret_cast<const char*>(uuid_and_data.data()), uuid_and_data.size());
  return std::any_of(std::begin(uuids), std::end(uuids),
                     [&](std::string_view uuid) { return bytes.starts_with(uuid); });
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
    : encoder_(config.encoder),
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

void CarriedSideData::note(std::int64_t number, const AVFrame& frame) {
  for (int i = 0; i < frame.nb_side_data; ++i) {
    const AVFrameSideData& data = *frame.side_data[i];
    if (data.type == AV_FRAME_DATA_A53_CC && writes_captions_) continue;
    if (data.type == AV_FRAME_DATA_SEI_UNREGISTERED && is_encoder_settings(bytes_of(data))) continue;
    if (data.type == AV_FRAME_DATA_S12M_TIMECODE && codec_ == SeiCodec::h264)
      picture_timecodes_[number] = timecodes_of(data);
    else if (data.type == AV_FRAME_DATA_DYNAMIC_HDR_PLUS && encoder_ == "libvpx-vp9")
      hdr10_plus_.insert(number);
    else if (std::optional<SeiMessage> message = message_of(data))
      messages_[number].push_back(std::move(*message));
    else
      warn_of_loss(data.type, encoder_);
  }
}

void CarriedSideData::add_to(std::int64_t number, const AVPacket& encoded, std::vector<std::byte>& bytes) {
  if (hdr10_plus_.erase(number) > 0 &&
      av_packet_get_side_data(&encoded, AV_PKT_DATA_DYNAMIC_HDR10_PLUS, nullptr) == nullptr)
    warn_of_loss(AV_FRAME_DATA_DYNAMIC_HDR_PLUS, encoder_);
  if (const auto timecodes = picture_timecodes_.extract(number);
      !timecodes.empty() && !set_picture_timecodes(bytes, timecodes.mapped(), frame_rate_))
    warn_of_loss(AV_FRAME_DATA_S12M_TIMECODE, encoder_);
  const auto found = messages_.extract(number);
  if (found.empty() || !codec_) return;
  const std::vector<std::byte> unit = sei_unit(*codec_, found.mapped());
  const auto at = static_cast<std::ptrdiff_t>(first_slice(*codec_, bytes));
  bytes.insert(bytes.begin() + at, unit.begin(), unit.end());
}

}  // namespace atelier::media
