#include <array>
#include <atomic>
#include <cstdarg>
#include <string>
#include <string_view>
#include <utility>

#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/media/muxer.h"
#include "libav.h"
#include "libav_log.h"

namespace atelier::media {
namespace {

std::atomic<bool> is_quiet{false};

std::string version(const char* name, unsigned number) {
  return concat(name, " ", AV_VERSION_MAJOR(number), ".", AV_VERSION_MINOR(number), ".",
                AV_VERSION_MICRO(number));
}

/// A line of the log without its line end.
std::string line_of(void* context, int level, const char* format, va_list arguments, bool with_prefix) {
  std::array<char, 1024> text{};
  int print_prefix = with_prefix ? 1 : 0;
  va_list copy;
  va_copy(copy, arguments);
  av_log_format_line2(context, level, format, copy, text.data(), text.size(), &print_prefix);
  va_end(copy);
  std::string line(text.data());
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  return line;
}

extern "C" void take_log(void* context, int level, const char* format, va_list arguments) {
  note_decoder_fault(context, level, format, arguments);
  if (!is_quiet) return av_log_default_callback(context, level, format, arguments);
  if (level > AV_LOG_WARNING) return;
  const std::string line = line_of(context, level, format, arguments, true);
  if (!line.empty()) log::to_file(line);
}

}  // namespace

std::string library_versions() {
  return join({concat("FFmpeg ", av_version_info()), version("libavutil", avutil_version()),
               version("libavcodec", avcodec_version()), version("libavformat", avformat_version()),
               version("libswscale", swscale_version())},
              ", ");
}

void quiet_libraries() {
  is_quiet = true;
  av_log_set_callback(take_log);
}

void watch_decoders() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(take_log); });
}

void note_decoder_fault(void* context, int level, const char* format, va_list arguments) {
  const bool concealed = level == AV_LOG_INFO && std::string_view(format).starts_with("concealing ");
  if ((level > AV_LOG_ERROR && !concealed) || context == nullptr ||
      *static_cast<const AVClass**>(context) != avcodec_get_class())
    return;
  const auto* decoder = static_cast<const AVCodecContext*>(context);
  if (decoder->opaque == nullptr || decoder->codec == nullptr || av_codec_is_decoder(decoder->codec) == 0)
    return;
  static_cast<DecoderWatch*>(decoder->opaque)->note_fault(line_of(context, level, format, arguments, false));
}

void DecoderWatch::note_fault(const std::string& text) {
  const std::lock_guard lock(mutex);
  if (num_faults++ == 0) first_fault = text;
}

std::string DecoderWatch::take_fault() {
  const std::lock_guard lock(mutex);
  num_faults = 0;
  return std::exchange(first_fault, {});
}

}  // namespace atelier::media
