#include "encoder_defaults.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "atelier/base/text.h"

#include "hdr_parameters.h"

extern "C" {
#include <libavutil/opt.h>
}

namespace atelier::media {
namespace {

using OptionList = std::vector<std::pair<std::string, std::string>>;

bool is_x264(std::string_view name) {
  return name == "libx264" || name == "libx264rgb";
}

bool is_private_option(const AVCodec& codec, const std::string& key) {
  return codec.priv_class != nullptr && av_opt_find(const_cast<AVClass**>(&codec.priv_class), key.c_str(),
                                                    nullptr, 0, AV_OPT_SEARCH_FAKE_OBJ) != nullptr;
}

bool is_generic_option(const std::string& key) {
  const AVClass* generic = avcodec_get_class();
  return av_opt_find(&generic, key.c_str(), nullptr, AV_OPT_FLAG_ENCODING_PARAM | AV_OPT_FLAG_VIDEO_PARAM,
                     AV_OPT_SEARCH_FAKE_OBJ) != nullptr;
}

void set_option(OptionList& options, const std::string& key, const std::string& value) {
  const auto found =
      std::find_if(options.begin(), options.end(), [&](const auto& o) { return o.first == key; });
  if (found == options.end())
    options.emplace_back(key, value);
  else
    found->second = value;
}

/// key=value pairs of x264 and x265 travel in one option, separated by colons.
void add_library_parameter(OptionList& options, const std::string& list, const std::string& parameter) {
  const auto found =
      std::find_if(options.begin(), options.end(), [&](const auto& o) { return o.first == list; });
  set_option(options, list, found == options.end() ? parameter : found->second + ":" + parameter);
}

void add_flags(OptionList& options, const std::string& flags) {
  const auto found =
      std::find_if(options.begin(), options.end(), [](const auto& o) { return o.first == "flags"; });
  set_option(options, "flags", found == options.end() ? flags : found->second + flags);
}

/// x264 writes to stderr itself when it refuses one of these, so that they are checked here first.
void check_name(const AVCodec& codec, const std::string& option, const std::string& name,
                const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw UsageError(concat("encoder ", codec.name, " has no ", option, " '", name, "'"), {},
                     concat("Use one of: ", join(known, ", ")));
}

void check_x26x_preset(const AVCodec& codec, const std::string& preset) {
  check_name(codec, "preset", preset,
             {"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
              "placebo"});
}

void check_x264_option(const AVCodec& codec, const std::string& key, const std::string& value) {
  if (key == "preset") check_x26x_preset(codec, value);
  if (key == "profile")
    check_name(codec, key, value, {"baseline", "main", "high", "high10", "high422", "high444"});
  if (key != "tune") return;
  std::string names = value;
  for (char& c : names)
    if (c == '.' || c == '/' || c == '-' || c == '+') c = ',';
  for (const std::string& name : split(names, ','))
    check_name(codec, key, name,
               {"film", "animation", "grain", "stillimage", "psnr", "ssim", "fastdecode", "zerolatency"});
}

void set_preset(const AVCodec& codec, const std::string& preset, OptionList& options) {
  const std::string_view name = codec.name;
  if (is_x264(name) || name == "libx265") check_x26x_preset(codec, preset);
  const bool is_number = !preset.empty() && preset.find_first_not_of("-0123456789") == std::string::npos;
  if (is_private_option(codec, "preset"))
    set_option(options, "preset", preset);
  else if (is_private_option(codec, "cpu-used") && is_number)
    set_option(options, "cpu-used", preset);
  else if (is_private_option(codec, "deadline") && !is_number)
    set_option(options, "deadline", preset);
  else if (is_private_option(codec, "speed") && is_number)
    set_option(options, "speed", preset);
  else
    throw UsageError(concat("encoder ", codec.name, " has no preset '", preset, "'"), {},
                     "Leave --preset out, or use --encoder-options");
}

void set_quality(const AVCodec& codec, double crf, OptionList& options) {
  const std::string value = fixed(crf, crf == static_cast<int>(crf) ? 0 : 2);
  if (is_private_option(codec, "crf")) {
    set_option(options, "crf", value);
  } else if (is_private_option(codec, "cq")) {
    set_option(options, "cq", value);
  } else if (is_private_option(codec, "qp") && std::string_view(codec.name) != "ffv1") {
    set_option(options, "qp", value);
  } else {
    add_flags(options, "+qscale");
    set_option(options, "global_quality", fixed(crf * FF_QP2LAMBDA, 0));
  }
}

bool is_lossless(const AVCodec& codec) {
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(codec.id);
  return descriptor != nullptr && (descriptor->props & AV_CODEC_PROP_LOSSY) == 0;
}

void set_defaults(const AVCodec& codec, bool frame_timecodes, EncoderConfig& config) {
  const std::string_view name = codec.name;
  OptionList& options = config.options;
  const HdrParameters hdr = hdr_parameters(config.stream_side_data);
  config.num_threads = 2;
  // Chunks are shorter as a rule: then each is one group of pictures.
  set_option(options, "g", "240");
  if (is_x264(name)) {
    // At equal SSIM, sizes beside medium (640x360 animation, 320x180 speech): fast +4 % and +5 %, faster +13
    // % and +12 %, veryfast +31 % and +25 %, for a fifth to a half less time. At 18 the source cannot be told
    // apart.
    set_option(options, "preset", "medium");
    set_option(options, "crf", "18");
    set_option(options, "x264-params", "cpu-independent=1:open-gop=0");
    // Timecodes are a part of the picture timing.
    if (frame_timecodes) add_library_parameter(options, "x264-params", "pic-struct=1");
    if (!hdr.mastering_display.empty())
      add_library_parameter(options, "x264-params", "mastering-display=" + hdr.mastering_display);
    if (!hdr.content_light.empty()) add_library_parameter(options, "x264-params", "cll=" + hdr.content_light);
  } else if (name == "libx265") {
    set_option(options, "preset", "medium");
    set_option(options, "crf", "20");
    set_option(options, "x265-params", "log-level=none:info=0:open-gop=0:frame-threads=2:pools=4");
    if (!hdr.mastering_display.empty())
      add_library_parameter(options, "x265-params", "master-display=" + hdr.mastering_display);
    if (!hdr.content_light.empty())
      add_library_parameter(options, "x265-params", "max-cll=" + hdr.content_light);
  } else if (name == "libvpx-vp9" || name == "libvpx") {
    set_option(options, "b", "0");
    set_option(options, "crf", name == "libvpx" ? "10" : "24");
    if (name == "libvpx") set_option(options, "b", "20M");
    set_option(options, "deadline", "good");
    set_option(options, "cpu-used", "3");
    // libvpx encodes transparency only without alternate references.
    set_option(options, "auto-alt-ref", config.input.has_alpha ? "0" : "1");
    set_option(options, "lag-in-frames", "25");
  } else if (name == "libaom-av1") {
    set_option(options, "b", "0");
    set_option(options, "crf", "24");
    set_option(options, "cpu-used", "6");
    set_option(options, "row-mt", "1");
  } else if (name == "libsvtav1") {
    set_option(options, "crf", "26");
    set_option(options, "preset", "8");
  } else if (name == "ffv1") {
    set_option(options, "level", "3");
    set_option(options, "g", "1");
    // FFmpeg's own choice of slices fails for a few rows; up to this size it takes one slice.
    if (config.input.width_px <= 352 && config.input.height_px <= 288) set_option(options, "slices", "1");
    set_option(options, "slicecrc", "1");
  } else if (is_private_option(codec, "crf") || is_lossless(codec) || codec.id == AV_CODEC_ID_PRORES ||
             codec.id == AV_CODEC_ID_DNXHD) {
    // The library's own defaults are good.
  } else {
    set_quality(codec, 2, options);
  }
  // The default DCT has other roundings with each SIMD level.
  if (name == "mpeg1video" || name == "mpeg2video" || name == "mpeg4") set_option(options, "dct", "int");
  const bool codes_fields = is_x264(name) || name == "prores_ks" || name == "mpeg2video" || name == "mpeg4";
  if (config.field_order > AV_FIELD_PROGRESSIVE && codes_fields) add_flags(options, "+ildct+ilme");
  // FFmpeg's MPEG encoders close groups of pictures only where they do not look for scene changes.
  if (!is_x264(name) && is_private_option(codec, "sc_threshold"))
    set_option(options, "sc_threshold", "1000000000");
}

}  // namespace

const AVCodec& find_encoder(const std::string& name) {
  static const std::map<std::string, std::vector<std::string>> known{
      {"x264", {"libx264"}},     {"h264", {"libx264"}},
      {"x265", {"libx265"}},     {"h265", {"libx265"}},
      {"hevc", {"libx265"}},     {"vp8", {"libvpx"}},
      {"vp9", {"libvpx-vp9"}},   {"av1", {"libsvtav1", "libaom-av1", "librav1e"}},
      {"prores", {"prores_ks"}}, {"mpeg2", {"mpeg2video"}},
  };
  const auto found = known.find(name);
  const AVCodec* codec = nullptr;
  for (const std::string& encoder : found == known.end() ? std::vector{name} : found->second)
    if (codec == nullptr) codec = avcodec_find_encoder_by_name(encoder.c_str());
  if (codec == nullptr) {
    const AVCodecDescriptor* descriptor = avcodec_descriptor_get_by_name(name.c_str());
    if (descriptor != nullptr) codec = avcodec_find_encoder(descriptor->id);
  }
  if (codec == nullptr)
    throw UsageError(concat("codec '", name, "' is unknown"), "this FFmpeg has no such encoder",
                     "Use x264, x265, vp9, av1, ffv1, or a name from `ffmpeg -encoders`");
  // Its packets are pointers into this process.
  if (codec->id == AV_CODEC_ID_WRAPPED_AVFRAME)
    throw UsageError(concat("codec '", name, "' cannot be written to a file"), {}, "Use --codec rawvideo");
  if (codec->type != AVMEDIA_TYPE_VIDEO) throw UsageError(concat("codec '", name, "' is no video codec"));
  return *codec;
}

void choose_options(const AVCodec& codec, const EncodeRequest& request, bool frame_timecodes,
                    EncoderConfig& config) {
  set_defaults(codec, frame_timecodes, config);
  if (!request.preset.empty()) set_preset(codec, request.preset, config.options);
  if (request.crf && is_lossless(codec))
    throw UsageError(concat("--crf has no effect with encoder ", codec.name), "it is lossless",
                     "Leave --crf out, or use another --codec");
  if (request.crf) set_quality(codec, *request.crf, config.options);
  const std::string_view name = codec.name;
  for (const auto& [key, value] : request.options) {
    // Another way to set the quality stands against our default.
    if ((key == "qp" || key == "b") && !request.crf)
      std::erase_if(config.options, [](const auto& o) { return o.first == "crf"; });
    if (key == "lossless" && value != "0" && name == "libvpx-vp9") set_option(config.options, "crf", "0");
  }
  const std::string list = is_x264(name) ? "x264-params" : (name == "libx265" ? "x265-params" : "");
  for (const auto& [key, value] : request.options) {
    if (key == "threads")
      throw UsageError("encoder option 'threads' cannot be set", "the bits depend on it, so it is fixed");
    if (is_x264(name)) check_x264_option(codec, key, value);
    if (!list.empty() && key == list)
      add_library_parameter(config.options, list, value);
    else if (is_private_option(codec, key) || is_generic_option(key))
      set_option(config.options, key, value);
    else if (!list.empty())
      add_library_parameter(config.options, list, concat(key, "=", value));
    else
      throw UsageError(concat("encoder ", codec.name, " has no option '", key, "'"), {},
                       concat("`ffmpeg -h encoder=", codec.name, "` lists its options"));
  }
}

}  // namespace atelier::media
