#include "job.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/file_status.h"
#include "atelier/base/hash.h"
#include "atelier/base/log.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "atelier/base/write_error.h"
#include "atelier/frame/chunk.h"
#include "atelier/media/muxer.h"
#include "atelier/media/picture.h"
#include "atelier/media/picture_row.h"
#include "atelier/schedule/policy.h"
#include "checkpoints.h"
#include "file_check.h"

namespace atelier::pipeline {
namespace {

namespace fs = std::filesystem;

// Beside the build tree, or in share/ of an installation.
fs::path shipped_weights(const std::string& engine) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const std::string name = engine + ".safetensors";
  for (const char* folder : {"../../weights", "../share/atelier/weights"}) {
    const fs::path candidate = (program.parent_path() / folder / name).lexically_normal();
    if (fs::exists(candidate, error)) return candidate;
  }
  throw UsageError(concat("no weights for --engine ", engine), "none are shipped with this program",
                   "Name a weights file with --model");
}

models::StylePicture read_style(const fs::path& path, double weight) {
  const media::Picture picture = media::read_picture(path);
  // from_blob does not own the floats, so the copy that contiguous() makes must.
  const at::Tensor rgb =
      at::from_blob(const_cast<float*>(picture.rgb.data()), {picture.height_px, picture.width_px, 3},
                    at::TensorOptions().dtype(at::kFloat))
          .permute({2, 0, 1})
          .clone(at::MemoryFormat::Contiguous);
  return {rgb, weight};
}

// Of what the root computes of them, which depends on its CPU, the job must not begin anew.
std::string hash_of(const std::vector<models::StylePicture>& styles) {
  if (styles.empty()) return "none";
  Hasher hasher;
  for (const models::StylePicture& style : styles) {
    const at::Tensor rgb = style.rgb.contiguous();
    hasher.update(concat(rgb.size(1), " ", rgb.size(2), " ", fixed(style.weight, 9), " "));
    hasher.update({static_cast<const std::byte*>(rgb.const_data_ptr()), rgb.nbytes()});
  }
  return hex64(hasher.digest());
}

bool has_weights(const std::string& engine) {
  return engine != "identity" && engine != "simulated";
}

void check_styles(const RunConfig& config) {
  const bool needed = config.engine == "adaptive";
  if (needed && config.styles.empty())
    throw UsageError(concat("--engine ", config.engine, " needs a style picture"), "",
                     "Name one with --style, for example styles/mosaic.jpg");
  if (!needed && has_weights(config.engine) && !config.styles.empty())
    throw UsageError(concat("--style has no effect with --engine ", config.engine),
                     "its weights hold one style", "Leave --style out, or use --engine adaptive");
  if (!config.style_weights.empty() && config.style_weights.size() != config.styles.size())
    throw UsageError(concat("--style-weights names ", config.style_weights.size(), " shares for ",
                            config.styles.size(), " pictures"),
                     "", "Give one share for each --style");
}

RunConfig with_output(RunConfig config, fs::path output) {
  config.output = std::move(output);
  return config;
}

// At most so many bytes of it, and no half character of UTF-8.
std::string cut(std::string text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  while (max_bytes > 0 && continues(text[max_bytes])) --max_bytes;
  return text.substr(0, max_bytes);
}

// Jobs that share a log folder must not share a name.
std::string make_log_name(const RunConfig& config) {
  constexpr std::size_t max_stem_bytes = 100;  // what follows takes up to 50
  std::string time = utc_text(wall_clock_s());
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return concat(cut(config.output.stem().string(), max_stem_bytes), "-", time, "-", getpid());
}

// What the output cannot hold is said before hours of work, not after them.
void rehearse_output(Job& job) {
  try {
    media::Rehearsal rehearsal = media::Muxer::rehearse(muxer_config(job));
    job.warnings.insert(job.warnings.end(), rehearsal.warnings.begin(), rehearsal.warnings.end());
    job.said_losses = std::move(rehearsal.said);
    job.encoder.known_losses = std::move(rehearsal.known_losses);
  } catch (const JobError& e) {
    log::to_file(concat("what the output cannot hold is not known yet: ", e.what()));
  }
}

}  // namespace

ReadEngine read_engine(const RunConfig& config) {
  check_styles(config);
  if (!has_weights(config.engine)) {
    models::EngineSpec spec =
        models::make_engine_spec(config.engine, {}, "", {}, config.strength, config.precision);
    spec.simulated_ms = config.simulated_ms;
    return {std::move(spec), "none"};
  }
  std::vector<models::StylePicture> styles;
  for (std::size_t i = 0; i < config.styles.size(); ++i)
    styles.push_back(
        read_style(config.styles[i], config.style_weights.empty() ? 1 : config.style_weights[i]));
  const fs::path weights = config.model.empty() ? shipped_weights(config.engine) : config.model;
  return {models::make_engine_spec(config.engine, read_file(weights), weights.string(), styles,
                                   config.strength, config.precision),
          hash_of(styles)};
}

Job prepare_job(const RunConfig& given) {
  const RunConfig config = with_output(given, behind_links(given.output, "output"));
  const std::string start_id = new_start_id(config);
  check_names(config, given.output, start_id);
  const media::InputState input_state = media::input_state(config.input);
  media::VideoReader reader({.path = config.input,
                             .stream = config.stream,
                             .height_px = config.height_px,
                             .start_s = config.start_s + config.preview_s.value_or(0),
                             .duration_s = config.preview_s ? 0 : config.duration_s,
                             .start_option = config.preview_s ? "--preview" : "--start"});
  ReadEngine engine = read_engine(config);
  std::vector<std::string> warnings;
  media::EncoderConfig encoder;
  if (!config.preview_s) {
    encoder = media::resolve_encoder({.codec = config.codec,
                                      .preset = config.preset,
                                      .crf = config.crf,
                                      .options = config.encoder_options,
                                      .pixel_format = config.pixel_format},
                                     reader.info(), given.output, warnings);
  }
  if (const std::string missing = media::missing_numbers(media::picture_row(config.input)); !missing.empty())
    warnings.push_back(
        concat("'", config.input.string(), "': ", missing, "; the pictures around a gap follow one another"));
  const auto bytes = static_cast<std::int64_t>(frame_bytes(reader.info().format));
  const std::int64_t chunk_frames =
      config.chunk_frames > 0 ? config.chunk_frames : default_chunk_length(bytes);
  const int num_encoders = schedule::num_encoders(tensor::num_usable_cores());
  Job job{.config = config,
          .input_state = input_state,
          .reader = std::move(reader),
          .encoder = std::move(encoder),
          .engine = std::move(engine.spec),
          .style_pictures = std::move(engine.style_pictures),
          .chunk_frames = chunk_frames,
          .num_encoders = num_encoders,
          .encode_at_workers = config.encode == "workers",
          .start_id = start_id,
          .named_output = given.output,
          .log_name = make_log_name(config),
          .warnings = std::move(warnings)};
  if (!config.preview_s) rehearse_output(job);
  return job;
}

media::MuxerConfig muxer_config(const Job& job) {
  return {.output = job.config.output,
          .scratch = job.config.stage_dir,
          .start_id = job.start_id,
          .input = job.input(),
          .input_state = job.input_state,
          .encoder = job.encoder,
          .start_s = job.config.start_s,
          .duration_s = job.config.duration_s,
          .named = job.named_output,
          .said = job.said_losses};
}

media::PacketReaderConfig packet_reader_config(const Job& job) {
  return {.path = job.config.input,
          .stream = job.input().stream_index,
          .start_s = job.config.start_s,
          .duration_s = job.config.duration_s,
          .chunk_frames = job.chunk_frames};
}

}  // namespace atelier::pipeline
