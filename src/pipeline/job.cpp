#include "job.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/log.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "atelier/frame/chunk.h"
#include "atelier/media/muxer.h"
#include "atelier/media/picture.h"
#include "atelier/schedule/policy.h"
#include "checkpoints.h"
#include "file_check.h"
#include "status_writer.h"

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

void check_output(const RunConfig& config) {
  std::error_code error;
  check_written_files(config);
  if (fs::is_directory(config.output, error))
    throw UsageError(concat("output '", config.output.string(), "' is a directory"), "", "Name a file in it");
  if (config.preview_s) {
    if (!config.overwrite && fs::exists(config.output, error))
      throw UsageError(concat("output '", config.output.string(), "' exists"), "",
                       "Give --overwrite, or another name");
  } else {
    check_output_is_free(config);
    check_stage_folder(config);
    check_status_path(config);
  }
  media::check_output_writable(config.output);
}

void check_folder(const fs::path& folder, const char* option) {
  if (folder.empty()) return;
  std::error_code error;
  fs::create_directories(folder, error);
  if (!fs::is_directory(folder, error) || access(folder.c_str(), W_OK) != 0)
    throw UsageError(concat(option, " '", folder.string(), "' cannot be written to"), "",
                     "Name another folder");
}

// Jobs that share a log folder must not share a name.
std::string make_log_name(const RunConfig& config) {
  std::string time = utc_text(wall_clock_s());
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return concat(config.output.stem().string(), "-", time, "-", getpid());
}

// What the output cannot hold is said before hours of work, not after them.
void rehearse_output(Job& job) {
  try {
    media::Rehearsal rehearsal = media::Muxer::rehearse(muxer_config(job, new_start_id(job.config)));
    job.warnings.insert(job.warnings.end(), rehearsal.warnings.begin(), rehearsal.warnings.end());
    job.said_losses = std::move(rehearsal.said);
    job.encoder.known_losses = std::move(rehearsal.known_losses);
  } catch (const JobError& e) {
    log::to_file(concat("what the output cannot hold is not known yet: ", e.what()));
  }
}

}  // namespace

models::EngineSpec read_engine(const RunConfig& config) {
  check_styles(config);
  if (!has_weights(config.engine)) {
    models::EngineSpec spec =
        models::make_engine_spec(config.engine, {}, "", {}, config.strength, config.precision);
    spec.simulated_ms = config.simulated_ms;
    return spec;
  }
  std::vector<models::StylePicture> styles;
  for (std::size_t i = 0; i < config.styles.size(); ++i)
    styles.push_back(
        read_style(config.styles[i], config.style_weights.empty() ? 1 : config.style_weights[i]));
  const fs::path weights = config.model.empty() ? shipped_weights(config.engine) : config.model;
  return models::make_engine_spec(config.engine, read_file(weights), weights.string(), styles,
                                  config.strength, config.precision);
}

Job prepare_job(const RunConfig& config) {
  check_output(config);
  media::VideoReader reader({.path = config.input,
                             .stream = config.stream,
                             .height_px = config.height_px,
                             .start_s = config.start_s + config.preview_s.value_or(0),
                             .duration_s = config.preview_s ? 0 : config.duration_s,
                             .start_option = config.preview_s ? "--preview" : "--start"});
  if (config.preview_s) check_preview_name(config.output);
  models::EngineSpec engine = read_engine(config);
  std::vector<std::string> warnings;
  media::EncoderConfig encoder;
  if (!config.preview_s) {
    encoder = media::resolve_encoder({.codec = config.codec,
                                      .preset = config.preset,
                                      .crf = config.crf,
                                      .options = config.encoder_options,
                                      .pixel_format = config.pixel_format},
                                     reader.info(), config.output, warnings);
    if (!config.record.empty()) media::check_output_writable(config.record);
    if (!config.dry_run) check_folder(config.log_dir, "--log-dir");
  }
  const auto bytes = static_cast<std::int64_t>(frame_bytes(reader.info().format));
  const std::int64_t chunk_frames =
      config.chunk_frames > 0 ? config.chunk_frames : default_chunk_length(bytes);
  const int num_encoders = schedule::num_encoders(tensor::num_usable_cores());
  Job job{.config = config,
          .reader = std::move(reader),
          .encoder = std::move(encoder),
          .engine = std::move(engine),
          .chunk_frames = chunk_frames,
          .num_encoders = num_encoders,
          .encode_at_workers = config.encode == "workers",
          .log_name = make_log_name(config),
          .warnings = std::move(warnings)};
  if (!config.preview_s) rehearse_output(job);
  return job;
}

media::MuxerConfig muxer_config(const Job& job, const std::string& start_id) {
  return {.output = job.config.output,
          .scratch = job.config.stage_dir,
          .start_id = start_id,
          .input = job.input(),
          .encoder = job.encoder,
          .start_s = job.config.start_s,
          .duration_s = job.config.duration_s,
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
