#include "motion.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/affine_grid_generator.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/grid_sampler_2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bicubic2d.h>

#include <cmath>
#include <random>
#include <vector>

#include "sampler.h"

namespace atelier::training {
namespace {

constexpr std::uint64_t for_motion = 4;
constexpr double largest_move_px = 12;
constexpr double largest_turn_rad = 0.03;
constexpr double largest_zoom = 0.04;
constexpr double largest_bend_px = 2;  // deviation of a smooth field
constexpr std::int64_t bend_cells = 4;
constexpr double largest_gain = 0.06;
constexpr double largest_noise = 0.02;  // deviation
constexpr double edge = 0.96;           // of [-1,1]: pixels from beyond are not judged
constexpr std::int64_t bilinear = 0;
constexpr std::int64_t border_padding = 1;

at::Tensor sampled(const at::Tensor& x, const at::Tensor& grid) {
  return at::grid_sampler_2d(x, grid, bilinear, border_padding, false);
}

at::Tensor luminance(const at::Tensor& rgb) {  // BT.709
  return rgb.slice(1, 0, 1) * 0.2126 + rgb.slice(1, 1, 2) * 0.7152 + rgb.slice(1, 2, 3) * 0.0722;
}

}  // namespace

NextFrame next_frame(const at::Tensor& frames, std::uint64_t seed, std::uint64_t number) {
  auto random = generator_for(seed, for_motion, number);
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(random());
  const auto within = [&](double largest) {
    return std::uniform_real_distribution<double>(-largest, largest)(random);
  };
  const std::int64_t count = frames.size(0);
  const std::int64_t side = frames.size(2);
  const double px = 2.0 / static_cast<double>(side);  // in the units of the grid

  NextFrame next;
  std::vector<at::Tensor> grids;
  at::Tensor covered = at::ones({count, 1, side, side}, at::kFloat);
  std::vector<at::Tensor> gains;
  std::vector<at::Tensor> noises;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto kind = std::uniform_int_distribution<int>(0, 2)(random);
    double right = within(largest_move_px);
    double down = within(largest_move_px);
    const double turn = within(largest_turn_rad);
    const double zoom = 1 + within(largest_zoom);
    const at::Tensor bend =
        at::randn({1, 2, bend_cells, bend_cells}, generator, at::kFloat) * (within(largest_bend_px) * px);
    if (kind == 0) right = down = 0;
    if (kind == 1) {
      right = std::round(right);
      down = std::round(down);
    }
    const bool smooth = kind == 2;
    const double cosine = smooth ? std::cos(turn) * zoom : 1;
    const double sine = smooth ? std::sin(turn) * zoom : 0;
    const at::Tensor theta =
        at::tensor({cosine, -sine, right * px, sine, cosine, down * px}, at::kFloat).view({1, 2, 3});
    at::Tensor grid = at::affine_grid_generator(theta, {1, 3, side, side}, false);
    if (smooth) grid = grid + at::upsample_bicubic2d(bend, {side, side}, false).permute({0, 2, 3, 1});
    grids.push_back(grid);
    gains.push_back(at::tensor({1 + within(largest_gain)}, at::kFloat).view({1, 1, 1, 1}));
    noises.push_back(at::randn({1, 3, side, side}, generator, at::kFloat) * std::abs(within(largest_noise)));
    if (std::uniform_int_distribution<int>(0, 2)(random) == 0) {  // something comes in front
      auto length = std::uniform_int_distribution<std::int64_t>(side / 8, side / 3);
      const std::int64_t width = length(random);
      const std::int64_t height = length(random);
      const auto place = [&](std::int64_t size) {
        return std::uniform_int_distribution<std::int64_t>(0, side - size)(random);
      };
      const std::int64_t top = place(height);
      const std::int64_t left = place(width);
      covered[i].narrow(1, top, height).narrow(2, left, width).fill_(0);
    }
  }
  next.grid = at::cat(grids, 0);
  const at::Tensor inside = (next.grid.abs() < edge).all(3).unsqueeze(1).to(at::kFloat);
  const at::Tensor moved = sampled(frames, next.grid);
  const at::Tensor lit = moved * at::cat(gains, 0);
  next.light = luminance(lit) - luminance(moved);
  const at::Tensor front = frames.flip(0).flip(3);  // of another picture, where there are several
  next.frames = lit * covered + front * (1 - covered) + at::cat(noises, 0);
  next.mask = inside * covered;
  return next;
}

at::Tensor motion_loss(const at::Tensor& output, const at::Tensor& next_output, const NextFrame& next) {
  const at::Tensor expected = sampled(output, next.grid) + next.light;
  return ((next_output - expected) * next.mask).square().mean();
}

}  // namespace atelier::training
