#include "atelier/training/picture_set.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"
#include "atelier/models/safetensors.h"

namespace atelier::training {
namespace {

constexpr const char* file_kind = "atelier-picture-set-1";
const std::string photo_prefix = "photos/";
const std::string style_prefix = "styles/";

at::Tensor scaled(const at::Tensor& rgb, std::int64_t height, std::int64_t width) {
  if (rgb.size(2) == height && rgb.size(3) == width) return rgb.contiguous();
  return at::_upsample_bilinear2d_aa(rgb.contiguous(), {height, width}, false);
}

at::Tensor middle(const at::Tensor& x, int dimension, std::int64_t longest) {
  const std::int64_t first = std::max<std::int64_t>(0, (x.size(dimension) - longest) / 2);
  return x.narrow(dimension, first, std::min(longest, x.size(dimension)));
}

std::int64_t pick(std::mt19937_64& random, std::int64_t first, std::int64_t last) {
  return std::uniform_int_distribution<std::int64_t>(first, last)(random);
}

}  // namespace

void PictureSet::add(Kind kind, const std::string& name, int width_px, int height_px,
                     std::span<const float> rgb) {
  at::Tensor x = at::empty({1, height_px, width_px, 3}, at::kFloat);
  if (rgb.size() != static_cast<std::size_t>(x.numel()) || rgb.empty())
    throw JobError("picture " + name + " cannot be taken into the set", "its size does not fit its samples");
  std::memcpy(x.mutable_data_ptr(), rgb.data(), rgb.size_bytes());
  x = x.permute({0, 3, 1, 2});
  const std::int64_t longest = 2L * std::min(width_px, height_px);
  x = middle(middle(x, 2, longest), 3, longest);
  const double ratio = short_side_px_ / static_cast<double>(std::min(width_px, height_px));
  const auto side = [&](std::int64_t length) { return std::llround(static_cast<double>(length) * ratio); };
  x = scaled(x, side(x.size(2)), side(x.size(3)));
  at::Tensor picture = (x.clamp(0, 1) * 255).round().to(at::kByte)[0].permute({1, 2, 0}).contiguous();
  (kind == Kind::photo ? photos_ : styles_).insert_or_assign(name, std::move(picture));
}

void PictureSet::save(const std::filesystem::path& path) const {
  models::TensorFile file;
  for (const auto& [name, picture] : photos_) file.tensors[photo_prefix + name] = picture;
  for (const auto& [name, picture] : styles_) file.tensors[style_prefix + name] = picture;
  file.metadata = {{"kind", file_kind}, {"short_side_px", std::to_string(short_side_px_)}};
  write_file_once(path, models::write_safetensors(file).bytes());
}

PictureSet PictureSet::load(const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& why) {
    throw UsageError(path.string() + " is no picture set", why, "Make one with atelier train --pack.");
  };
  const auto file = models::parse_safetensors(read_file(path).bytes(), path.string());
  const auto kind = file.metadata.find("kind");
  const auto side = file.metadata.find("short_side_px");
  if (kind == file.metadata.end() || kind->second != file_kind || side == file.metadata.end())
    refuse("its metadata are of something else");
  PictureSet set(std::atoi(side->second.c_str()));
  if (set.short_side_px_ < 1) refuse("its metadata give no size");
  for (const auto& [name, picture] : file.tensors) {
    if (picture.dim() != 3 || picture.size(2) != 3 || picture.scalar_type() != at::kByte ||
        std::min(picture.size(0), picture.size(1)) < 1)
      refuse("tensor " + name + " is no picture");
    if (name.starts_with(photo_prefix))
      set.photos_[name.substr(photo_prefix.size())] = picture;
    else if (name.starts_with(style_prefix))
      set.styles_[name.substr(style_prefix.size())] = picture;
    else
      refuse("tensor " + name + " is neither photograph nor style");
  }
  return set;
}

at::Tensor random_crop(const at::Tensor& picture, int size_px, std::mt19937_64& random) {
  const std::int64_t shorter = std::min(picture.size(0), picture.size(1));
  const std::int64_t side = pick(random, std::min<std::int64_t>(size_px, shorter), shorter);
  const std::int64_t top = pick(random, 0, picture.size(0) - side);
  const std::int64_t left = pick(random, 0, picture.size(1) - side);
  at::Tensor x = picture.narrow(0, top, side).narrow(1, left, side).permute({2, 0, 1}).unsqueeze(0);
  if (pick(random, 0, 1) == 1) x = x.flip(3);
  return scaled(x.to(at::kFloat) / 255, size_px, size_px).clamp(0, 1);
}

}  // namespace atelier::training
