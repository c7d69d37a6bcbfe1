#include "job_fingerprint.h"

#include <span>
#include <string>
#include <vector>

#include "atelier/base/build_id.h"
#include "atelier/base/hash.h"
#include "atelier/base/text.h"
#include "atelier/base/version.h"
#include "atelier/media/muxer.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/pipeline/protocol.h"
#include "atelier/tensor/device.h"
#include "job.h"

namespace atelier::pipeline {
namespace {

std::string hash_text(std::span<const std::byte> bytes) {
  return bytes.empty() ? "none" : hex128(hash128(bytes));
}

std::string number_text(double value) {
  return fixed(value, 9);
}

// FFmpeg's version says nothing of the codecs that it calls, nor of a distribution's patches.
std::string codec_libraries() {
  std::vector<std::string> texts;
  for (const LoadedLibrary& library : loaded_libraries(
           {"libavcodec", "libavformat", "libavutil", "libswscale", "libx264", "libx265", "libvpx", "libaom",
            "libSvtAv1", "librav1e", "libdav1d", "libkvazaar", "libopenh264", "libtheora", "libxvidcore"}))
    texts.push_back(concat(library.file, " ", library.build_id.substr(0, 16)));
  return join(texts, ", ");
}

}  // namespace

io::Fingerprint job_fingerprint(const Job& job) {
  const RunConfig& config = job.config;
  io::Fingerprint fingerprint;
  const media::InputState& input = job.input_state;
  fingerprint.add("files of the input", std::to_string(input.num_files));
  fingerprint.add("size of the input", std::to_string(input.size_bytes));
  fingerprint.add("time of the input", std::to_string(input.modified_s));
  fingerprint.add("pictures of the input", hex64(input.pictures_hash));
  fingerprint.add("styled stream", std::to_string(job.input().stream_index));
  fingerprint.add("--engine", config.engine);
  // Another speed is another measurement.
  if (config.engine == "simulated") fingerprint.add("--simulated-ms", number_text(config.simulated_ms));
  fingerprint.add("weights", hash_text(job.engine.weights.bytes()));
  fingerprint.add("style pictures", job.style_pictures);
  fingerprint.add("--strength", number_text(config.strength));
  fingerprint.add("--precision", std::to_string(static_cast<int>(config.precision)));
  fingerprint.add("--height", std::to_string(config.height_px));
  fingerprint.add("--start", number_text(config.start_s));
  fingerprint.add("--duration", number_text(config.duration_s));
  fingerprint.add("--chunk-frames", std::to_string(job.chunk_frames));
  fingerprint.add("codec", job.encoder.encoder);
  fingerprint.add("pixel format", job.encoder.pixel_format);
  std::vector<std::string> options;
  for (const auto& [key, value] : job.encoder.options) options.push_back(concat(key, "=", value));
  fingerprint.add("encoder options", join(options, " "));
  media::EncoderConfig encoder = job.encoder;
  encoder.known_losses.clear();  // what is said of them changes no bits
  fingerprint.add("encoder set-up", hash_text(pack(encoder).bytes()));
  fingerprint.add("program", build_text());
  fingerprint.add("libtorch", tensor::library_versions());
  fingerprint.add("FFmpeg", media::library_versions());
  fingerprint.add("codec libraries", codec_libraries());
  return fingerprint;
}

}  // namespace atelier::pipeline
