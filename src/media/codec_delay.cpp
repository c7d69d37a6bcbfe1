#include "codec_delay.h"

#include <algorithm>
#include <array>

#include "output_format.h"

namespace atelier::media {
namespace {

/// Whether the header of a Matroska file with sound that is no Opus holds a codec delay. Such muxers also add
/// it to the times. Tried, since no release of FFmpeg tells by its number.
bool muxer_adds_codec_delay() {
  static const bool adds = [] {
    static constexpr std::array codec_delay_id{std::uint8_t{0x56}, std::uint8_t{0xAA}};
    const CodecParametersPtr codec(avcodec_parameters_alloc());
    if (!codec) throw std::bad_alloc();
    codec->codec_type = AVMEDIA_TYPE_AUDIO;
    codec->codec_id = AV_CODEC_ID_AC3;
    codec->sample_rate = 48000;
    codec->initial_padding = 256;
    av_channel_layout_default(&codec->ch_layout, 2);
    const AVOutputFormat* matroska = av_guess_format("matroska", nullptr, nullptr);
    if (matroska == nullptr) return false;
    const auto header = trial_header(*matroska, *codec).value_or(std::vector<std::uint8_t>());
    return std::search(header.begin(), header.end(), codec_delay_id.begin(), codec_delay_id.end()) !=
           header.end();
  }();
  return adds;
}

}  // namespace

std::int64_t codec_delay_ms(const AVCodecParameters& codec) {
  if (codec.initial_padding <= 0 || codec.sample_rate <= 0) return 0;
  const bool is_opus = codec.codec_id == AV_CODEC_ID_OPUS;
  if (!is_opus && !muxer_adds_codec_delay()) return 0;
  return av_rescale(codec.initial_padding, 1000, is_opus ? 48000 : codec.sample_rate);
}

std::int64_t unapplied_codec_delay_ms(const AVCodecParameters& codec) {
  return muxer_adds_codec_delay() ? 0 : codec_delay_ms(codec);
}

}  // namespace atelier::media
