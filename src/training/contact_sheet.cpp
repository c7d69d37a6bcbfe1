#include "contact_sheet.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "atelier/base/handle.h"
#include "atelier/base/text.h"

namespace atelier::training {
namespace {

constexpr std::size_t max_styles = 6;
constexpr std::size_t max_photos = 4;

/// 1 x 3 x H x W in [0,1].
at::Tensor as_float(const at::Tensor& picture) {
  return picture.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat) / 255;
}

/// The middle square of pictures, spread evenly over the names.
std::vector<at::Tensor> some(const std::map<std::string, at::Tensor>& pictures, std::size_t most, int side) {
  std::vector<at::Tensor> all;
  for (const auto& [name, picture] : pictures) all.push_back(picture);
  std::vector<at::Tensor> result;
  const std::size_t count = std::min(most, all.size());
  for (std::size_t i = 0; i < count; ++i) {
    const at::Tensor& x = all[i * all.size() / count];
    result.push_back(
        as_float(x.narrow(0, (x.size(0) - side) / 2, side).narrow(1, (x.size(1) - side) / 2, side)));
  }
  return result;
}

}  // namespace

void write_contact_sheet(const std::filesystem::path& path, const models::AdaptiveNetwork& network,
                         const PictureSet& set) {
  const at::NoGradGuard no_grad;
  const auto styles = some(set.pictures(PictureSet::Kind::style), max_styles, set.short_side_px());
  const auto photos = some(set.pictures(PictureSet::Kind::photo), max_photos, set.short_side_px());

  std::vector<at::Tensor> row{at::ones_like(styles.front())};
  row.insert(row.end(), styles.begin(), styles.end());
  std::vector<at::Tensor> rows{at::cat(row, 3)};
  std::vector<models::TensorMap> statistics;
  for (const auto& style : styles) statistics.push_back(network.style_statistics(style));
  for (const auto& photo : photos) {
    row = {photo};
    for (const auto& style : statistics) row.push_back(network.stylise(photo, style));
    rows.push_back(at::cat(row, 3));
  }
  const at::Tensor sheet =
      (at::cat(rows, 2).clamp(0, 1) * 255).round().to(at::kByte)[0].permute({1, 2, 0}).contiguous();

  const std::string header = concat("P6\n", sheet.size(1), " ", sheet.size(0), "\n255\n");
  Buffer file(header.size() + sheet.nbytes());
  std::memcpy(file.data(), header.data(), header.size());
  std::memcpy(file.data() + header.size(), sheet.const_data_ptr(), sheet.nbytes());
  write_file_once(path, file.bytes());
}

}  // namespace atelier::training
