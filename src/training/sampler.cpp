#include "sampler.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <array>
#include <utility>

#include "atelier/base/hash.h"

namespace atelier::training {
namespace {

enum Purpose : std::uint64_t { for_batch = 1, for_style = 2, for_aside = 3 };

constexpr double share_of_other_colours = 0.4;

std::uint64_t mixed(std::uint64_t x) {  // splitmix64
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

std::size_t pick(std::mt19937_64& random, std::size_t count) {
  return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
}

double fraction(std::mt19937_64& random) {
  return std::uniform_real_distribution<double>(0, 1)(random);
}

/// Channels in another order, and each perhaps inverted.
at::Tensor with_other_colours(const at::Tensor& rgb, std::mt19937_64& random) {
  static constexpr std::array<std::array<int, 3>, 6> orders{
      {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  const auto& order = orders[pick(random, orders.size())];
  const bool inverted = fraction(random) < 0.25;
  std::vector<at::Tensor> channels;
  for (const int channel : order) channels.push_back(rgb.slice(1, channel, channel + 1));
  const at::Tensor result = at::cat(channels, 1);
  return inverted ? 1 - result : result;
}

}  // namespace

std::mt19937_64 generator_for(std::uint64_t seed, std::uint64_t purpose, std::uint64_t number) {
  return std::mt19937_64(mixed(mixed(mixed(seed) ^ purpose) ^ number));
}

Sampler::Sampler(const PictureSet& set, const TrainConfig& config) : config_(config) {
  const auto part = [&](const std::map<std::string, at::Tensor>& pictures, std::vector<at::Tensor>& own,
                        std::vector<at::Tensor>& aside) {
    for (const auto& [name, picture] : pictures) {
      const std::uint64_t place = hash64(std::as_bytes(std::span(name))) % 1000;
      (static_cast<double>(place) < 1000 * config.held_aside_share ? aside : own).push_back(picture);
    }
    if (own.empty()) std::swap(own, aside);
  };
  part(set.pictures(PictureSet::Kind::photo), photos_, aside_photos_);
  part(set.pictures(PictureSet::Kind::style), styles_, aside_styles_);
}

at::Tensor Sampler::style(const std::vector<at::Tensor>& styles, StyleChoice choice, int size_px) const {
  auto random = generator_for(config_.seed, for_style, choice.picture * 1000 + choice.variant);
  const at::Tensor crop = random_crop(styles[choice.picture], size_px, random);
  return fraction(random) < share_of_other_colours ? with_other_colours(crop, random) : crop;
}

Batch Sampler::batch(std::uint64_t number, int size_px) const {
  auto random = generator_for(config_.seed, for_batch, number);
  std::vector<at::Tensor> photos;
  std::vector<at::Tensor> styles;
  Batch batch;
  for (int i = 0; i < config_.batch; ++i) {
    photos.push_back(random_crop(photos_[pick(random, photos_.size())], size_px, random));
    StyleChoice choice{pick(random, styles_.size()),
                       pick(random, static_cast<std::size_t>(config_.num_style_variants)),
                       fraction(random) < config_.share_of_own_style};
    styles.push_back(choice.is_photo ? photos.back() : style(styles_, choice, size_px));
    batch.choices.push_back(choice);
  }
  batch.photos = at::cat(photos, 0);
  batch.styles = at::cat(styles, 0);
  return batch;
}

Batch Sampler::aside(std::uint64_t number, int size_px) const {
  Batch batch;
  if (!has_aside()) return batch;
  auto random = generator_for(config_.seed, for_aside, number);
  std::vector<at::Tensor> photos;
  std::vector<at::Tensor> styles;
  for (int i = 0; i < config_.batch; ++i) {
    photos.push_back(random_crop(aside_photos_[pick(random, aside_photos_.size())], size_px, random));
    styles.push_back(random_crop(aside_styles_[pick(random, aside_styles_.size())], size_px, random));
  }
  batch.photos = at::cat(photos, 0);
  batch.styles = at::cat(styles, 0);
  return batch;
}

}  // namespace atelier::training
