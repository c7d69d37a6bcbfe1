#include "options.h"

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "values.h"

namespace atelier::cli {
namespace {

using pipeline::RunConfig;
using Text = const std::string&;

tensor::Precision to_precision(Text text) {
  to_choice("precision", text, {"fp32", "bf16", "fp16"});
  return text == "fp32"   ? tensor::Precision::fp32
         : text == "bf16" ? tensor::Precision::bf16
                          : tensor::Precision::fp16;
}

void add_encoder_options(RunConfig& config, Text text) {
  for (const std::string& part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError(concat("--encoder-options cannot be '", text, "'"),
                       "it is key=value, several with commas");
    config.encoder_options.emplace_back(part.substr(0, equals), part.substr(equals + 1));
  }
}

std::pair<int, double> to_slow_rank(Text text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() != 2)
    throw UsageError(concat("--simulated-slow-rank cannot be '", text, "'"),
                     "it is RANK:FACTOR, such as 3:2.5");
  return {static_cast<int>(to_integer("simulated-slow-rank", parts[0], 1, 1 << 20)),
          to_number("simulated-slow-rank", parts[1], 0, 1e6)};
}

std::pair<int, std::string> to_processor(Text text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon + 1 == text.size())
    throw UsageError(concat("--simulated-processor cannot be '", text, "'"),
                     "it is RANK:NAME, such as 2:CPU-B");
  return {static_cast<int>(to_integer("simulated-processor", text.substr(0, colon), 0, 1 << 20)),
          text.substr(colon + 1)};
}

// Between the entries of the table: those that follow are in this group.
Option group(OptionGroup group) {
  return {.name = "", .value = "", .default_value = "", .help = "", .apply = {}, .group = group};
}

std::vector<Option> grouped(const std::vector<Option>& entries) {
  std::vector<Option> options;
  OptionGroup group = OptionGroup::settings;
  for (const Option& entry : entries) {
    if (*entry.name == '\0') {
      group = entry.group;
    } else {
      options.push_back(entry);
      options.back().group = group;
    }
  }
  return options;
}

}  // namespace

// One entry an option; nothing about an option stands anywhere else. Groups may come several times.
const std::vector<Option>& run_options() {
  static const std::vector<Option> all = grouped({
      group(OptionGroup::video),
      {"input", "FILE", "",
       "the video: a file, a picture sequence such as f_%04d.png, or a folder of pictures",
       [](RunConfig& c, Text v) { c.input = v; }},
      group(OptionGroup::output),
      {"output", "FILE", "", "the styled video; its name chooses the container: .mp4 .mov .mkv .webm",
       [](RunConfig& c, Text v) { c.output = v; }},
      group(OptionGroup::style),
      {"style", "PICTURE", "", "the picture to paint like; several are blended",
       [](RunConfig& c, Text v) { c.styles.emplace_back(v); }, true},
      {"style-weights", "A,B,…", "", "shares of several --style, in their order; equal if not given",
       [](RunConfig& c, Text v) {
         for (const std::string& part : split(v, ','))
           c.style_weights.push_back(to_number("style-weights", part, 0, 1e6));
       }},
      {"engine", "NAME", "adaptive",
       "adaptive: any style picture; feedforward: weights of one style; identity: changes nothing; "
       "simulated: "
       "changes nothing and takes its time, to measure the rest of a job",
       [](RunConfig& c, Text v) {
         c.engine = to_choice("engine", v, {"adaptive", "feedforward", "identity", "simulated"});
       }},
      {"model", "FILE", "", "weights (safetensors) instead of those that ship with the engine",
       [](RunConfig& c, Text v) { c.model = v; }},
      {"strength", "0..1", "1", "how much of the style; 0 is the source",
       [](RunConfig& c, Text v) { c.strength = to_number("strength", v, 0, 1); }},
      group(OptionGroup::developers),
      {"simulated-ms", "MS", "5", "that --engine simulated takes for a frame",
       [](RunConfig& c, Text v) { c.simulated_ms = to_number("simulated-ms", v, 0, 1e6); }},
      {"simulated-slow-rank", "RANK:FACTOR", "", "a rank whose simulated engine takes so many times longer",
       [](RunConfig& c, Text v) { c.simulated_slow.push_back(to_slow_rank(v)); }, true},
      {"simulated-gpus", "N", "0",
       "of each machine with --engine simulated; its other ranks help to encode (0: every rank has a GPU)",
       [](RunConfig& c, Text v) {
         c.simulated_gpus = static_cast<int>(to_integer("simulated-gpus", v, 0, 1 << 20));
       }},
      {"simulated-processor", "RANK:NAME", "",
       "a rank that passes for one on another kind of CPU: what it makes counts as other bits",
       [](RunConfig& c, Text v) { c.simulated_processors.push_back(to_processor(v)); }, true},
      group(OptionGroup::video),
      {"stream", "N", "",
       "style this video stream, by its index in 'atelier info'; if not given, the one a player would show",
       [](RunConfig& c, Text v) { c.stream = static_cast<int>(to_integer("stream", v, 0, 1 << 20)); }},
      {"height", "PX", "", "scale to this height before styling; the width follows",
       [](RunConfig& c, Text v) { c.height_px = static_cast<int>(to_integer("height", v, 2, 16384)); }},
      {"start", "TIME", "0", "begin this long after the start of the video",
       [](RunConfig& c, Text v) { c.start_s = to_time_s("start", v); }},
      {"duration", "TIME", "", "stop after this long",
       [](RunConfig& c, Text v) { c.duration_s = to_span_s("duration", v); }},
      {"preview", "TIME", "", "style only the frame at this time; the output is a PNG",
       [](RunConfig& c, Text v) { c.preview_s = to_time_s("preview", v); }},
      group(OptionGroup::messages),
      {"dry-run", "", "", "check everything, say what would be done, write nothing",
       [](RunConfig& c, Text v) { c.dry_run = to_bool("dry-run", v); }},
      group(OptionGroup::work),
      {"chunk-frames", "N", "",
       "frames in a chunk, the unit of work; 48 if not given, fewer where those exceed 256 MiB",
       [](RunConfig& c, Text v) { c.chunk_frames = to_integer("chunk-frames", v, 1, 100000); }},
      {"precision", "NAME", "fp32", "of the network: fp32, bf16, fp16 (the last two on GPUs only)",
       [](RunConfig& c, Text v) { c.precision = to_precision(v); }},
      {"device", "NAME", "auto", "auto, cpu, cuda",
       [](RunConfig& c, Text v) {
         c.device = to_choice("device", v, {"auto", "cpu", "cuda"});
       }},
      {"decode", "WHERE", "auto",
       "auto, root, workers; auto: at the workers if there are several and the video's keyframes are near",
       [](RunConfig& c, Text v) {
         c.decode = to_choice("decode", v, {"auto", "root", "workers"});
       }},
      {"encode", "WHERE", "auto", "auto, root, workers; auto: where frames are styled if several workers are",
       [](RunConfig& c, Text v) {
         c.encode = to_choice("encode", v, {"auto", "root", "workers"});
       }},
      group(OptionGroup::output),
      {"codec", "NAME", "",
       "x264, x265, vp9, ffv1, or any encoder of the FFmpeg in use; x264 if not given, vp9 in WebM",
       [](RunConfig& c, Text v) { c.codec = v; }},
      {"preset", "NAME", "", "the encoder's speed preset", [](RunConfig& c, Text v) { c.preset = v; }},
      {"crf", "N", "", "the encoder's constant quality; lower is better",
       [](RunConfig& c, Text v) { c.crf = to_number("crf", v, 0, 63); }},
      {"encoder-options", "K=V,…", "", "more options of the encoder, by FFmpeg's names",
       [](RunConfig& c, Text v) { add_encoder_options(c, v); }, true},
      {"pixel-format", "NAME", "", "of the output, by FFmpeg's names; the source's if not given",
       [](RunConfig& c, Text v) { c.pixel_format = v; }},
      group(OptionGroup::messages),
      {"record", "FILE", "", "write what the job did (HDF5; read it with 'atelier report')",
       [](RunConfig& c, Text v) { c.record = v; }},
      {"status", "FILE", "",
       "say in this file how far the job is, anew every few seconds ('atelier report --follow' reads it); "
       "none: "
       "no such file; OUTPUT.status.json if not given",
       [](RunConfig& c, Text v) { c.status = v; }},
      {"log-dir", "DIR", "", "write a text log for each rank", [](RunConfig& c, Text v) { c.log_dir = v; }},
      group(OptionGroup::work),
      {"stage-dir", "DIR", "", "local disk to mux on; $TMPDIR or /tmp if not given",
       [](RunConfig& c, Text v) { c.stage_dir = v; }},
      group(OptionGroup::interruptions),
      {"work-dir", "DIR", "",
       "where finished chunks are kept until the video is done; OUTPUT.atelier if not given",
       [](RunConfig& c, Text v) { c.work_dir = v; }},
      {"no-resume", "", "", "begin anew, whatever an interrupted start has left",
       [](RunConfig& c, Text v) { c.resume = !to_bool("no-resume", v); }},
      {"keep-work", "", "", "leave the work directory when the video is done",
       [](RunConfig& c, Text v) { c.keep_work = to_bool("keep-work", v); }},
      {"grace", "SECONDS", "20",
       "when interrupted (INT, TERM, USR1, HUP), finish what is under way for this long; a second signal "
       "ends it",
       [](RunConfig& c, Text v) { c.grace_s = to_number("grace", v, 0, 86400); }},
      {"max-time", "TIME", "", "interrupt the job after this long; the same command goes on",
       [](RunConfig& c, Text v) { c.max_time_s = to_span_s("max-time", v); }},
      {"rank-timeout", "SECONDS", "20",
       "end the job when a rank does not answer for this long, as on a machine that is cut off; 0: never",
       [](RunConfig& c, Text v) { c.rank_timeout_s = to_number("rank-timeout", v, 0, 86400); }},
      group(OptionGroup::messages),
      {"progress", "HOW", "auto", "auto, bar, json, none; auto: a bar on a terminal, else a line every 30 s",
       [](RunConfig& c, Text v) {
         c.progress = to_choice("progress", v, {"auto", "bar", "json", "none"});
       }},
      group(OptionGroup::output),
      {"overwrite", "", "", "replace an existing output",
       [](RunConfig& c, Text v) { c.overwrite = to_bool("overwrite", v); }},
      group(OptionGroup::work),
      {"allow-mixed", "", "",
       "let workers have different kinds of CPU or GPU; the output then depends on who styles what",
       [](RunConfig& c, Text v) { c.allow_mixed = to_bool("allow-mixed", v); }},
  });
  return all;
}

}  // namespace atelier::cli
