#include "atelier/training/trainer.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "adam.h"
#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/log.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "atelier/models/safetensors.h"
#include "atelier/training/losses.h"
#include "checkpoint.h"
#include "contact_sheet.h"
#include "loss_curve.h"
#include "motion.h"
#include "sampler.h"
#include "style_targets.h"

namespace atelier::training {
namespace {

constexpr double warm_up_iterations = 100;
constexpr double falling_share = 0.4;
constexpr int min_stability_size_px = 96;
constexpr int size_multiple_px = 16;
constexpr int num_aside_batches = 4;

void check(const PictureSet& set, const TrainConfig& config) {
  if (set.pictures(PictureSet::Kind::photo).empty() || set.pictures(PictureSet::Kind::style).empty())
    throw UsageError("nothing to train with", "the set lacks photographs or styles", "Give some of both.");
  for (const int size_px : {config.size_px, config.late_size_px})
    if ((size_px != 0 || size_px == config.size_px) && (size_px < 32 || size_px % size_multiple_px != 0))
      throw UsageError(concat("cannot train on crops of ", size_px, " px"), "",
                       concat("Give a multiple of ", size_multiple_px, " from 32 on."));
  if (config.stability_weight > 0 && config.size_px < min_stability_size_px)
    throw UsageError(concat("cannot judge stability on crops of ", config.size_px, " px"), "",
                     concat("Give at least ", min_stability_size_px, " px."));
  if (config.num_iterations < 1 || config.batch < 1 || config.num_threads < 1 || config.log_every < 1 ||
      config.stability_every < 1 || config.num_style_variants < 1 || config.checkpoint_every < 0)
    throw UsageError("a count of the training is out of range", "", "Give numbers of 1 or more.");
  if (!(config.held_aside_share >= 0 && config.held_aside_share < 1) ||
      !(config.late_share >= 0 && config.late_share <= 1))
    throw UsageError("a share of the training is out of range", "", "Give numbers from 0 to 1.");
}

/// done: share of the training that is over, [0,1).
double learning_rate_at(const TrainConfig& config, int iteration, double done) {
  const double warm_up = std::min(warm_up_iterations, std::ceil(config.num_iterations / 10.0));
  return config.learning_rate * std::min(1.0, (iteration + 1) / warm_up) *
         std::min(1.0, (1 - done) / falling_share);
}

/// Scalars; undefined where an iteration does not look at them.
struct Losses {
  at::Tensor content, style, variation, out_of_range, identity, instability;
};

/// Sums of losses, each over the iterations that had it.
class Sums {
 public:
  void add(const Losses& losses) {
    const at::Tensor* const values[] = {&losses.content,      &losses.style,    &losses.variation,
                                        &losses.out_of_range, &losses.identity, &losses.instability};
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      if (!values[i]->defined()) continue;
      sums_[i] += values[i]->item<double>();
      ++counts_[i];
    }
  }
  [[nodiscard]] TrainReport means(const TrainState& state) const {
    const auto mean = [&](std::size_t i) { return counts_[i] > 0 ? sums_[i] / counts_[i] : 0; };
    return {state.num_iterations, mean(0), mean(1), mean(2), mean(3), mean(4), mean(5), state.seconds_s};
  }

 private:
  std::array<double, 6> sums_{};
  std::array<int, 6> counts_{};
};

/// Mean squared difference over the pictures whose style is the photograph itself; undefined if there are
/// none.
at::Tensor identity_loss(const at::Tensor& output, const Batch& batch) {
  std::vector<at::Tensor> errors;
  for (std::size_t i = 0; i < batch.choices.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    if (batch.choices[i].is_photo) errors.push_back((output[row] - batch.photos[row]).square().mean());
  }
  if (errors.empty()) return {};
  return at::stack(errors).mean();
}

/// One training: what it reads and what it changes.
class Training {
 public:
  Training(const PictureSet& set, const LossNetwork& loss_network, const models::TensorMap& start,
           const TrainConfig& config)
      : config_(config),
        set_(set),
        loss_network_(loss_network),
        sampler_(set, config),
        targets_(loss_network),
        checkpoint_(config, training_settings(set, loss_network, start, config)),
        adam_(resumed(start)),
        network_(adam_->parameters()),
        curve_(config.output.empty() ? std::filesystem::path() : beside(config.output, ".csv"),
               state_.num_iterations),
        seconds_before_s_(state_.seconds_s) {}

  Trained run() {
    Trained result;
    bool interrupted = false;
    double done = share_done();
    while (done < 1 && !interrupted) {
      const double learning_rate = learning_rate_at(config_, state_.num_iterations, done);
      step(done, learning_rate);
      done = share_done();
      interrupted = config_.interrupted();
      const int count = state_.num_iterations;
      const bool last = done >= 1 || interrupted;
      if (count % config_.log_every == 0 || last) report(learning_rate);
      if ((config_.checkpoint_every > 0 && count % config_.checkpoint_every == 0) || last) {
        if (judge_aside() && !last) done = 1;
        save();
      }
    }
    return {adam_->averaged(), report_, interrupted && share_done() < 1};
  }

 private:
  std::unique_ptr<Adam> resumed(const models::TensorMap& start) {
    auto found = checkpoint_.load(state_);
    if (!found) return std::make_unique<Adam>(start);
    log::info(
        concat("resumes after iteration ", state_.num_iterations, " and ", human_duration(state_.seconds_s)));
    return found;
  }

  double share_done() {
    state_.seconds_s = seconds_before_s_ + watch_.seconds_s();
    return std::max(static_cast<double>(state_.num_iterations) / config_.num_iterations,
                    config_.max_minutes > 0 ? state_.seconds_s / (60 * config_.max_minutes) : 0.0);
  }

  void step(double done, double learning_rate) {
    const bool late = config_.late_size_px > 0 && done >= 1 - config_.late_share;
    const auto number = static_cast<std::uint64_t>(state_.num_iterations);
    const Batch batch = sampler_.batch(number, late ? config_.late_size_px : config_.size_px);
    const bool with_next =
        config_.stability_weight > 0 && state_.num_iterations % config_.stability_every == 0;
    const Losses losses = losses_of(batch, targets_.of(batch), with_next ? &number : nullptr);
    at::Tensor total = losses.content + losses.style * config_.style_weight +
                       losses.variation * config_.variation_weight +
                       losses.out_of_range * config_.range_weight;
    if (losses.identity.defined()) total = total + losses.identity * config_.identity_weight;
    if (losses.instability.defined()) total = total + losses.instability * config_.stability_weight;
    if (!std::isfinite(total.item<double>()))
      throw JobError(concat("training left the numbers at iteration ", number), "",
                     "Try a lower learning rate.");
    total.backward();
    adam_->step(learning_rate);
    sums_.add(losses);
    ++state_.num_iterations;
  }

  /// next: number of the motion to the next frame; null: that is not looked at.
  Losses losses_of(const Batch& batch, const std::vector<LayerStyle>& wanted,
                   const std::uint64_t* next) const {
    std::vector<at::Tensor> photo_features;
    {
      const at::NoGradGuard no_grad;
      photo_features = loss_network_.features(batch.photos);
    }
    const auto statistics = network_.style_statistics(batch.styles);
    const at::Tensor output = network_.stylise(batch.photos, statistics);
    const auto features = loss_network_.features(output);
    Losses losses;
    for (std::size_t i = loss_network_.first_content_layer(); i < features.size(); ++i) {
      const at::Tensor loss = content_loss(features[i], photo_features[i]);
      losses.content = losses.content.defined() ? losses.content + loss : loss;
    }
    losses.style = style_loss(style_of(features), wanted);
    losses.variation = total_variation(output);
    losses.out_of_range = range_loss(output);
    losses.identity = identity_loss(output, batch);
    if (next != nullptr) {
      const NextFrame frame = next_frame(batch.photos, config_.seed, *next);
      losses.instability = motion_loss(output, network_.stylise(frame.frames, statistics), frame);
    }
    return losses;
  }

  void report(double learning_rate) {
    report_ = sums_.means(state_);
    sums_ = {};
    curve_.add(report_, learning_rate);
    log::info(concat("iteration ", report_.num_iterations, "/", config_.num_iterations, "  content ",
                     fixed(report_.content, 3), "  style ", fixed(report_.style, 4), "  variation ",
                     fixed(report_.variation, 3), "  out of range ", fixed(report_.out_of_range, 4),
                     "  identity ", fixed(report_.identity, 4), "  instability ",
                     fixed(report_.instability, 5), "  ",
                     fixed(report_.seconds_s / report_.num_iterations, 2), " s/iteration"));
  }

  /// Judges the averaged weights by the pictures held aside. True: they have shown no gain for too long.
  bool judge_aside() {
    if (!sampler_.has_aside()) return false;
    const at::NoGradGuard no_grad;
    const models::AdaptiveNetwork averaged(adam_->averaged());
    double content = 0, style = 0, instability = 0;
    for (std::uint64_t i = 0; i < num_aside_batches; ++i) {
      const Batch batch = sampler_.aside(i, config_.size_px);
      const auto statistics = averaged.style_statistics(batch.styles);
      const at::Tensor output = averaged.stylise(batch.photos, statistics);
      const auto features = loss_network_.features(output);
      const auto photo_features = loss_network_.features(batch.photos);
      for (std::size_t k = loss_network_.first_content_layer(); k < features.size(); ++k)
        content += content_loss(features[k], photo_features[k]).item<double>() / num_aside_batches;
      style += style_loss(style_of(features), style_of(loss_network_.features(batch.styles))).item<double>() /
               num_aside_batches;
      const NextFrame frame = next_frame(batch.photos, config_.seed, i);
      instability += motion_loss(output, averaged.stylise(frame.frames, statistics), frame).item<double>() /
                     num_aside_batches;
    }
    curve_.add_aside(state_.num_iterations, state_.seconds_s, content, style, instability);
    const double total = content + style * config_.style_weight + instability * config_.stability_weight;
    log::info(concat("held aside: content ", fixed(content, 3), "  style ", fixed(style, 4), "  instability ",
                     fixed(instability, 5), "  total ", fixed(total, 3)));
    if (state_.best_aside == 0 || total < state_.best_aside) {
      state_.best_aside = total;
      state_.best_at_s = state_.seconds_s;
    }
    return config_.patience_minutes > 0 &&
           state_.seconds_s - state_.best_at_s > 60 * config_.patience_minutes;
  }

  void save() {
    checkpoint_.save(*adam_, state_, network_.network_name());
    if (!config_.sample_folder.empty())
      write_contact_sheet(config_.sample_folder / concat("sheet.", state_.num_iterations, ".ppm"),
                          models::AdaptiveNetwork(adam_->averaged()), set_);
  }

  TrainConfig config_;
  const PictureSet& set_;
  const LossNetwork& loss_network_;
  Sampler sampler_;
  StyleTargets targets_;
  Checkpoint checkpoint_;
  TrainState state_;
  std::unique_ptr<Adam> adam_;
  models::AdaptiveNetwork network_;
  LossCurve curve_;
  double seconds_before_s_;
  Stopwatch watch_;
  Sums sums_;
  TrainReport report_;
};

}  // namespace

Trained train(const PictureSet& set, const LossNetwork& loss_network, const models::TensorMap& start,
              const TrainConfig& config) {
  check(set, config);
  at::set_num_threads(config.num_threads);
  at::globalContext().setFlushDenormal(true);
  return Training(set, loss_network, start, config).run();
}

void save_weights(const std::filesystem::path& path, const models::TensorMap& parameters,
                  std::map<std::string, std::string> metadata, at::ScalarType type) {
  models::TensorFile file;
  for (const auto& [name, parameter] : parameters) file.tensors[name] = parameter.detach().to(type);
  file.metadata = std::move(metadata);
  file.metadata["network"] = models::AdaptiveNetwork(parameters).network_name();
  write_file_once(path, models::write_safetensors(file).bytes());
}

models::TensorMap load_weights(const std::filesystem::path& path) {
  auto file = models::parse_safetensors(read_file(path).bytes(), path.string());
  models::AdaptiveNetwork::check(file.tensors, path.string());
  return std::move(file.tensors);
}

}  // namespace atelier::training
