#include "atelier/media/encoder_processor.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "libav.h"

extern "C" {
#include <libavutil/cpu.h>
}

namespace atelier::media {
namespace {

// Tried with every SIMD level that they know and without any. x264 is told to (encoder_defaults.cpp).
constexpr std::array<std::string_view, 11> same_everywhere{"libx264",    "libx264rgb", "libx265",   "libvpx",
                                                           "libvpx-vp9", "libaom-av1", "libsvtav1", "prores",
                                                           "prores_aw",  "prores_ks",  "libtheora"};
// The same with FFmpeg's DCT in plain integers, without SIMD.
constexpr std::array<std::string_view, 3> same_with_integer_dct{"mpeg1video", "mpeg2video", "mpeg4"};

std::string_view option(const EncoderConfig& config, std::string_view key) {
  const auto found = std::ranges::find(config.options, key, &std::pair<std::string, std::string>::first);
  return found == config.options.end() ? std::string_view() : found->second;
}

bool is_lossless(const EncoderConfig& config) {
  const AVCodec* codec = avcodec_find_encoder_by_name(config.encoder.c_str());
  const AVCodecDescriptor* descriptor = codec == nullptr ? nullptr : avcodec_descriptor_get(codec->id);
  return descriptor != nullptr && (descriptor->props & AV_CODEC_PROP_LOSSY) == 0;
}

}  // namespace

bool any_processor_encodes_alike(const EncoderConfig& config) {
  const std::string_view name = config.encoder;
  if (name.starts_with("libx264") &&
      option(config, "x264-params").find("cpu-independent=0") != std::string_view::npos)
    return false;
  if (std::ranges::count(same_with_integer_dct, name) > 0) return option(config, "dct") == "int";
  return std::ranges::count(same_everywhere, name) > 0 || is_lossless(config);
}

std::string encoder_processor(const EncoderConfig& config) {
  if (any_processor_encodes_alike(config)) return {};
#if defined(__x86_64__)
  const int flags = av_get_cpu_flags();
  if ((flags & AV_CPU_FLAG_AVX512) != 0) return "AVX512";
  if ((flags & AV_CPU_FLAG_AVX2) != 0) return "AVX2";
  if ((flags & AV_CPU_FLAG_AVX) != 0) return "AVX";
  if ((flags & AV_CPU_FLAG_SSSE3) != 0) return "SSSE3";
  return "SSE2";
#else
  return "no SIMD level";
#endif
}

}  // namespace atelier::media
