#include "ffmpeg_limit.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "atelier/base/text.h"

namespace atelier::pipeline {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

struct ClosePipe {
  void operator()(std::FILE* pipe) const noexcept { pclose(pipe); }
};

// Seconds of wall clock between ffmpeg's first and last work, as its -benchmark says ("rtime=1.234s").
double rtime_s(const std::string& arguments) {
  const std::string command =
      concat("ffmpeg -nostdin -hide_banner -benchmark ", arguments, " -f null - </dev/null 2>&1");
  const std::unique_ptr<std::FILE, ClosePipe> pipe(popen(command.c_str(), "r"));
  if (!pipe) return 0;
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe.get()))
    text.append(part.data(), size);
  const std::size_t at = text.rfind("rtime=");
  return at == std::string::npos ? 0 : std::atof(text.c_str() + at + 6);
}

double rate(std::size_t num_frames, double seconds_s) {
  return seconds_s > 0 ? static_cast<double>(num_frames) / seconds_s : 0;
}

}  // namespace

double ffmpeg_decode_frames_per_s(const RunConfig& run, std::size_t num_frames, int num_threads) {
  return rate(num_frames, rtime_s(concat("-threads ", num_threads, " -ss ", run.start_s, " -i ",
                                         quoted(run.input.string()), " -map 0:V:0 -frames:v ", num_frames)));
}

double ffmpeg_encode_frames_per_s(const std::vector<FramePlanes>& frames, const media::EncoderConfig& encoder,
                                  const std::filesystem::path& folder) {
  // The layout of our planes is FFmpeg's only for YUV and grey without padding bits; others have no limit
  // here.
  const VideoFormat& format = encoder.input;
  if (format.model == ColorModel::rgb) return 0;
  const std::filesystem::path raw = folder / "frames.raw";
  {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(raw.c_str(), "wb"), std::fclose);
    if (!file) return 0;
    for (const FramePlanes& frame : frames)
      std::fwrite(frame.planes.data(), 1, frame.planes.size(), file.get());
  }
  std::string options;
  for (const auto& [key, value] : encoder.options) options += concat(" -", key, " ", quoted(value));
  const double seconds_s = rtime_s(concat(
      "-f rawvideo -pix_fmt ", quoted(format.pixel_format), " -s ", format.width_px, "x", format.height_px,
      " -i ", quoted(raw.string()), " -c:v ", encoder.encoder, options, " -threads ", encoder.num_threads));
  std::error_code ignored;
  std::filesystem::remove(raw, ignored);
  return rate(frames.size(), seconds_s);
}

}  // namespace atelier::pipeline
