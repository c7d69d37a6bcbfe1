#include "atelier/training/trainer.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/log.h"
#include "atelier/base/stopwatch.h"
#include "atelier/base/text.h"
#include "atelier/models/safetensors.h"
#include "atelier/training/losses.h"
#include "contact_sheet.h"

namespace atelier::training {
namespace {

constexpr double warm_up_iterations = 100;
constexpr double falling_share = 0.4;
constexpr double max_gradient_norm = 1;
constexpr std::int64_t largest_move_px = 7;  // the coarsest features are 8 px apart
constexpr double largest_noise = 0.03;       // deviation
constexpr int min_stability_size_px = 96;
constexpr std::size_t first_content_layer = 3;  // fire4 and fire5

/// Adam (arXiv 1412.6980) over the parameters of one network.
class Adam {
 public:
  explicit Adam(const models::TensorMap& start) {
    for (const auto& [name, value] : start) {
      at::Tensor parameter = value.to(at::kFloat).clone();
      parameter.requires_grad_(true);
      slots_.push_back({at::zeros_like(value, at::kFloat), at::zeros_like(value, at::kFloat)});
      parameters_[name] = parameter;
    }
  }

  /// One step along the gradients, which are clipped together and cleared.
  void step(double learning_rate) {
    const at::NoGradGuard no_grad;
    ++count_;
    double squares = 0;
    for (const auto& [name, parameter] : parameters_)
      squares += parameter.grad().square().sum().item<double>();
    const double norm = std::sqrt(squares);
    const double scale = norm > max_gradient_norm ? max_gradient_norm / norm : 1;
    const double correction =
        std::sqrt(1 - std::pow(decay_second, count_)) / (1 - std::pow(decay_first, count_));
    auto slot = slots_.begin();
    for (auto& [name, parameter] : parameters_) {
      const at::Tensor gradient = parameter.grad() * scale;
      slot->first.mul_(decay_first).add_(gradient, 1 - decay_first);
      slot->second.mul_(decay_second).addcmul_(gradient, gradient, 1 - decay_second);
      parameter.addcdiv_(slot->first, slot->second.sqrt().add_(1e-8), -learning_rate * correction);
      parameter.mutable_grad() = at::Tensor();
      ++slot;
    }
  }

  [[nodiscard]] const models::TensorMap& parameters() const { return parameters_; }

 private:
  static constexpr double decay_first = 0.9;
  static constexpr double decay_second = 0.999;
  struct Slot {
    at::Tensor first;
    at::Tensor second;
  };
  models::TensorMap parameters_;
  std::vector<Slot> slots_;
  double count_ = 0;
};

/// Draws batches of photographs and styles.
class Sampler {
 public:
  Sampler(const PictureSet& set, const TrainConfig& config)
      : config_(config),
        random_(config.seed),
        generator_(at::make_generator<at::CPUGeneratorImpl>(config.seed)) {
    for (const auto& [name, picture] : set.pictures(PictureSet::Kind::photo)) photos_.push_back(picture);
    for (const auto& [name, picture] : set.pictures(PictureSet::Kind::style)) styles_.push_back(picture);
  }

  /// Photographs and styles, batch x 3 x size x size each.
  std::pair<at::Tensor, at::Tensor> next() {
    std::vector<at::Tensor> photos;
    std::vector<at::Tensor> styles;
    for (int i = 0; i < config_.batch; ++i) {
      photos.push_back(crop(photos_));
      const bool own = std::uniform_real_distribution<double>(0, 1)(random_) < config_.share_of_own_style;
      styles.push_back(own ? photos.back() : crop(styles_));
    }
    return {at::cat(photos, 0), at::cat(styles, 0)};
  }

  /// The same photographs a few pixels further, with noise, as the next frames of videos.
  struct Moved {
    at::Tensor photos;
    std::int64_t down_px;
    std::int64_t right_px;
  };
  Moved moved(const at::Tensor& photos) {
    std::uniform_int_distribution<std::int64_t> step(-largest_move_px, largest_move_px);
    const std::int64_t down = step(random_);
    const std::int64_t right = step(random_);
    const double deviation = std::uniform_real_distribution<double>(0, largest_noise)(random_);
    const at::Tensor noise = at::randn(photos.sizes(), generator_, at::kFloat) * deviation;
    return {photos.roll({down, right}, {2, 3}) + noise, down, right};
  }

 private:
  at::Tensor crop(const std::vector<at::Tensor>& pictures) {
    const auto index = std::uniform_int_distribution<std::size_t>(0, pictures.size() - 1)(random_);
    return random_crop(pictures[index], config_.size_px, random_);
  }

  TrainConfig config_;
  std::mt19937_64 random_;
  at::Generator generator_;
  std::vector<at::Tensor> photos_;
  std::vector<at::Tensor> styles_;
};

void check(const PictureSet& set, const TrainConfig& config) {
  if (set.pictures(PictureSet::Kind::photo).empty() || set.pictures(PictureSet::Kind::style).empty())
    throw UsageError("nothing to train with", "the set lacks photographs or styles", "Give some of both.");
  if (config.size_px < 32 || config.size_px % 8 != 0)
    throw UsageError(concat("cannot train on crops of ", config.size_px, " px"), "",
                     "Give a multiple of 8 from 32 on.");
  if (config.stability_weight > 0 && config.size_px < min_stability_size_px)
    throw UsageError(concat("cannot judge stability on crops of ", config.size_px, " px"), "",
                     concat("Give at least ", min_stability_size_px, " px."));
  if (config.num_iterations < 1 || config.batch < 1 || config.num_threads < 1 || config.log_every < 1 ||
      config.checkpoint_every < 0)
    throw UsageError("a count of the training is out of range", "", "Give numbers of 1 or more.");
}

/// done: share of the training that is over, [0,1).
double learning_rate_at(const TrainConfig& config, int iteration, double done) {
  const double warm_up = std::min(warm_up_iterations, std::ceil(config.num_iterations / 10.0));
  return config.learning_rate * std::min(1.0, (iteration + 1) / warm_up) *
         std::min(1.0, (1 - done) / falling_share);
}

struct Losses {
  at::Tensor content, style, variation, out_of_range, instability;
};

Losses losses_of(const models::AdaptiveNetwork& network, const LossNetwork& loss_network, Sampler& sampler,
                 bool with_stability) {
  const auto [photos, styles] = sampler.next();
  std::vector<at::Tensor> photo_features;
  std::vector<LayerStyle> wanted;
  {
    const at::NoGradGuard no_grad;
    photo_features = loss_network.features(photos);
    wanted = style_of(loss_network.features(styles));
  }
  const auto statistics = network.style_statistics(styles);
  const at::Tensor output = network.stylise(photos, statistics);
  at::Tensor instability = at::zeros({});
  if (with_stability) {
    const auto moved = sampler.moved(photos);
    instability =
        stability_loss(output, network.stylise(moved.photos, statistics), moved.down_px, moved.right_px);
  }
  const auto features = loss_network.features(output);
  at::Tensor content = content_loss(features[first_content_layer], photo_features[first_content_layer]);
  for (std::size_t i = first_content_layer + 1; i < features.size(); ++i)
    content = content + content_loss(features[i], photo_features[i]);
  return {content, style_loss(style_of(features), wanted), total_variation(output), range_loss(output),
          instability};
}

models::TensorMap detached(const models::TensorMap& parameters) {
  models::TensorMap result;
  for (const auto& [name, parameter] : parameters) result[name] = parameter.detach().clone();
  return result;
}

std::filesystem::path numbered(const std::filesystem::path& path, int iteration) {
  return path.parent_path() / concat(path.stem().string(), ".", iteration, path.extension().string());
}

}  // namespace

Trained train(const PictureSet& set, const LossNetwork& loss_network, const models::TensorMap& start,
              const TrainConfig& config) {
  check(set, config);
  at::set_num_threads(config.num_threads);
  at::globalContext().setFlushDenormal(true);

  Adam adam(start);
  const models::AdaptiveNetwork network(adam.parameters());
  Sampler sampler(set, config);
  TrainReport report;
  TrainReport sums;
  const Stopwatch watch;
  double done = 0;
  for (int i = 0; i < config.num_iterations && done < 1; ++i) {
    const Losses losses = losses_of(network, loss_network, sampler, config.stability_weight > 0);
    const at::Tensor total =
        losses.content + losses.style * config.style_weight + losses.variation * config.variation_weight +
        losses.out_of_range * config.range_weight + losses.instability * config.stability_weight;
    if (!std::isfinite(total.item<double>()))
      throw JobError(concat("training left the numbers at iteration ", i), "", "Try a lower learning rate.");
    total.backward();
    adam.step(learning_rate_at(config, i, done));

    sums.content += losses.content.item<double>();
    sums.style += losses.style.item<double>();
    sums.variation += losses.variation.item<double>();
    sums.out_of_range += losses.out_of_range.item<double>();
    sums.instability += losses.instability.item<double>();
    ++sums.num_iterations;
    const int count = i + 1;
    done = std::max(static_cast<double>(count) / config.num_iterations,
                    config.max_minutes > 0 ? watch.seconds_s() / (60 * config.max_minutes) : 0.0);
    const bool last = count == config.num_iterations || done >= 1;
    if (count % config.log_every == 0 || last) {
      const double n = sums.num_iterations;
      report = {count,
                sums.content / n,
                sums.style / n,
                sums.variation / n,
                sums.out_of_range / n,
                sums.instability / n,
                watch.seconds_s()};
      sums = {};
      log::info(concat("iteration ", count, "/", config.num_iterations, "  content ",
                       fixed(report.content, 3), "  style ", fixed(report.style, 4), "  variation ",
                       fixed(report.variation, 3), "  out of range ", fixed(report.out_of_range, 4),
                       "  instability ", fixed(report.instability, 5), "  ",
                       fixed(report.seconds_s / count, 2), " s/iteration"));
    }
    if (config.checkpoint_every > 0 && (count % config.checkpoint_every == 0 || last)) {
      save_weights(numbered(config.checkpoint, count), detached(network.parameters()),
                   {{"iterations", std::to_string(count)}});
      if (!config.sample_folder.empty())
        write_contact_sheet(numbered(config.sample_folder / "sheet.ppm", count), network, set);
    }
  }
  return {detached(network.parameters()), report};
}

void save_weights(const std::filesystem::path& path, const models::TensorMap& parameters,
                  std::map<std::string, std::string> metadata) {
  models::TensorFile file;
  for (const auto& [name, parameter] : parameters) file.tensors[name] = parameter.detach().to(at::kFloat);
  file.metadata = std::move(metadata);
  file.metadata["network"] = models::AdaptiveNetwork::network_name;
  write_file_once(path, models::write_safetensors(file).bytes());
}

models::TensorMap load_weights(const std::filesystem::path& path) {
  auto file = models::parse_safetensors(read_file(path).bytes(), path.string());
  models::AdaptiveNetwork::check(file.tensors, path.string());
  return std::move(file.tensors);
}

}  // namespace atelier::training
