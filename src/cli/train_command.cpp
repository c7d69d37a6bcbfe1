#include "train_command.h"

#include <unistd.h>

#include <boost/program_options.hpp>
#include <cerrno>
#include <filesystem>
#include <iostream>

#include "atelier/base/error.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/training/trainer.h"
#include "parse.h"
#include "signals.h"
#include "train_pictures.h"

namespace atelier::cli {
namespace {

namespace options = boost::program_options;
using std::filesystem::path;

struct Arguments {
  std::string styles, photos, packed, pack, output, start, samples;
  std::vector<std::string> loss_network;
  int packed_side_px = 256;
  training::TrainConfig config;
};

options::options_description described(Arguments& a) {
  options::options_description result("atelier train", 100);
  auto add = result.add_options();
  add("help,h", "show this text");
  add("styles", options::value(&a.styles), "folder of style pictures");
  add("photos", options::value(&a.photos), "folder of photographs");
  add("packed", options::value(&a.packed), "a packed picture set instead of the two folders");
  add("pack", options::value(&a.pack), "write the pictures to this packed set, and do not train");
  add("packed-side", options::value(&a.packed_side_px)->default_value(a.packed_side_px),
      "shorter side of the pictures in memory and in a packed set, px");
  add("loss-network", options::value(&a.loss_network)->multitoken(),
      "weights of VGG-16, VGG-19 or SqueezeNet 1.1 (safetensors; layers of one network may be spread over "
      "several files)");
  add("output", options::value(&a.output),
      "weights file to write; beside it lie NAME.state.safetensors, to resume from, and NAME.csv, the "
      "losses");
  add("resume", options::bool_switch(&a.config.resume),
      "go on where a training to this output was interrupted");
  add("start", options::value(&a.start), "weights to go on from (default: random ones from --seed)");
  auto& c = a.config;
  add("iterations", options::value(&c.num_iterations)->default_value(c.num_iterations), "steps of Adam");
  add("minutes", options::value(&c.max_minutes)->default_value(c.max_minutes), "end earlier; 0: no limit");
  add("size", options::value(&c.size_px)->default_value(c.size_px), "side of the square crops, px");
  add("batch", options::value(&c.batch)->default_value(c.batch), "pairs a step");
  add("seed", options::value(&c.seed)->default_value(c.seed), "seed of everything random");
  add("threads", options::value(&c.num_threads)->default_value(c.num_threads), "threads inside libtorch");
  add("learning-rate", options::value(&c.learning_rate)->default_value(c.learning_rate, "0.001"), "of Adam");
  add("style-weight", options::value(&c.style_weight)->default_value(c.style_weight, "15"),
      "of the style loss against the content loss");
  add("variation-weight", options::value(&c.variation_weight)->default_value(c.variation_weight, "0.05"),
      "of the total variation");
  add("identity-weight", options::value(&c.identity_weight)->default_value(c.identity_weight, "1"),
      "of leaving a photograph as it is where it is its own style");
  add("stability-weight", options::value(&c.stability_weight)->default_value(c.stability_weight, "0"),
      "of the same painting for frames that move or have other light and noise (about 100 for calm video)");
  add("stability-every", options::value(&c.stability_every)->default_value(c.stability_every),
      "look at such a frame once in so many steps");
  add("late-size", options::value(&c.late_size_px)->default_value(c.late_size_px),
      "side of the crops in the last part of the training, px; 0: as before");
  add("late-share", options::value(&c.late_share)->default_value(c.late_share, "0.2"),
      "how much of it that is");
  add("held-aside", options::value(&c.held_aside_share)->default_value(c.held_aside_share, "0"),
      "share of the pictures that is not trained on, and judged by at each checkpoint");
  add("patience-minutes", options::value(&c.patience_minutes)->default_value(c.patience_minutes, "0"),
      "end when the pictures held aside have shown no gain for so long; 0: never");
  add("checkpoint-every", options::value(&c.checkpoint_every)->default_value(c.checkpoint_every),
      "write weights, state and losses once in so many steps; 0: at the end only");
  add("log-every", options::value(&c.log_every)->default_value(c.log_every), "steps a log line");
  add("samples", options::value(&a.samples), "existing folder for a contact sheet (PPM) a checkpoint");
  return result;
}

void need(const std::string& value, const char* option) {
  if (value.empty()) throw UsageError(concat("--", option, " is missing"), "", "See atelier train --help.");
}

/// Before hours of work, not behind them.
void check_writable(const path& file, const char* option) {
  const path folder = std::filesystem::absolute(file).parent_path();
  if (access(folder.c_str(), W_OK) != 0)
    throw UsageError(concat("cannot write ", file.string(), " of --", option), errno_text(errno),
                     "Name a file in a folder that can be written to.");
}

training::PictureSet pictures_of(const Arguments& a) {
  if (!a.packed.empty()) return training::PictureSet::load(a.packed);
#if ATELIER_MEDIA
  need(a.styles, "styles");
  need(a.photos, "photos");
  return read_picture_set(a.photos, a.styles, a.packed_side_px);
#else
  throw UsageError("this build cannot read pictures", "it was made without FFmpeg",
                   "Give a set with --packed, made by atelier train --pack elsewhere.");
#endif
}

std::map<std::string, std::string> described_training(const training::TrainConfig& config,
                                                      const training::TrainReport& report) {
  return {
      {"seed", std::to_string(config.seed)},           {"iterations", std::to_string(report.num_iterations)},
      {"size_px", std::to_string(config.size_px)},     {"batch", std::to_string(config.batch)},
      {"style_weight", fixed(config.style_weight, 3)}, {"content_loss", fixed(report.content, 4)},
      {"style_loss", fixed(report.style, 4)}};
}

}  // namespace

int train_command(const std::vector<std::string>& arguments) {
  Arguments a;
  const auto description = described(a);
  const options::variables_map values = parse_arguments("train", arguments, description);
  if (values.contains("help")) {
    std::cout << description;
    return static_cast<int>(ExitCode::done);
  }
  if (a.pack.empty()) {
    need(a.output, "output");
    need(a.loss_network.empty() ? std::string() : a.loss_network.front(), "loss-network");
    check_writable(a.output, "output");
    if (!a.samples.empty()) check_writable(path(a.samples) / "sheet.ppm", "samples");
  } else {
    check_writable(a.pack, "pack");
  }

  survive_closed_pipes();
  const auto set = pictures_of(a);
  using Kind = training::PictureSet::Kind;
  log::info(concat(set.pictures(Kind::photo).size(), " photographs, ", set.pictures(Kind::style).size(),
                   " styles"));
  if (!a.pack.empty()) {
    set.save(a.pack);
    return static_cast<int>(ExitCode::done);
  }

  const auto loss_network = training::LossNetwork::load({a.loss_network.begin(), a.loss_network.end()});
  const auto start = a.start.empty() ? models::AdaptiveNetwork::initial_parameters(a.config.seed)
                                     : training::load_weights(a.start);
  a.config.output = a.output;
  a.config.sample_folder = a.samples;
  catch_interrupts();
  a.config.interrupted = [] { return interrupted() != 0; };
  const auto trained = training::train(set, loss_network, start, a.config);
  if (trained.was_interrupted)
    throw Error(ExitCode::interrupted, "interrupted",
                concat("after iteration ", trained.report.num_iterations),
                "Run the same command with --resume to go on");
  training::save_weights(a.output, trained.parameters, described_training(a.config, trained.report));
  log::info(concat("wrote ", a.output, " after ", human_duration(trained.report.seconds_s)));
  return static_cast<int>(ExitCode::done);
}

}  // namespace atelier::cli
