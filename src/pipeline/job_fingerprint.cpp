#include "job_fingerprint.h"

#include <chrono>
#include <filesystem>
#include <system_error>

#include "atelier/base/hash.h"
#include "atelier/base/text.h"
#include "atelier/media/muxer.h"
#include "atelier/pipeline/encoding_protocol.h"
#include "atelier/pipeline/protocol.h"
#include "atelier/tensor/device.h"
#include "job.h"

namespace atelier::pipeline {
namespace {

namespace fs = std::filesystem;

std::string hash_text(std::span<const std::byte> bytes) {
  return bytes.empty() ? "none" : hex128(hash128(bytes));
}

// Seconds after the epoch: network file systems keep no more. Empty for a picture sequence.
std::string modified_text(const fs::path& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  if (error) return "";
  const auto system = std::chrono::file_clock::to_sys(time);
  return std::to_string(std::chrono::floor<std::chrono::seconds>(system).time_since_epoch().count());
}

std::string size_text(const fs::path& path) {
  std::error_code error;
  const auto size_bytes = fs::file_size(path, error);
  return error ? "" : std::to_string(size_bytes);
}

std::string number_text(double value) {
  return fixed(value, 9);
}

}  // namespace

io::Fingerprint job_fingerprint(const Job& job) {
  const RunConfig& config = job.config;
  io::Fingerprint fingerprint;
  fingerprint.add("size of the input", size_text(config.input));
  fingerprint.add("time of the input", modified_text(config.input));
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
  fingerprint.add("encoder set-up", hash_text(pack(job.encoder).bytes()));
  fingerprint.add("program", build_text());
  fingerprint.add("libtorch", tensor::library_versions());
  fingerprint.add("FFmpeg", media::library_versions());
  return fingerprint;
}

}  // namespace atelier::pipeline
