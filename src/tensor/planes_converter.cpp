#include "atelier/tensor/planes_converter.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/scalar_tensor.h>

#include <c10/core/InferenceMode.h>

#include <cmath>
#include <cstring>

#include "atelier/base/error.h"
#include "atelier/base/text.h"
#include "chroma_axis.h"
#include "color_matrix.h"

namespace atelier::tensor {
namespace {

at::Device torch_device(Device device) {
  if (device.kind == DeviceKind::cuda) return {at::kCUDA, static_cast<at::DeviceIndex>(device.index)};
  return at::kCPU;
}

double siting_offset(bool centred, bool at_end, int log2_factor) {
  const int last = (1 << log2_factor) - 1;
  if (centred) return last / 2.0;
  return at_end ? last : 0;
}

ChromaAxis horizontal_axis(const VideoFormat& format) {
  const bool centred = format.siting == ChromaSiting::center || format.siting == ChromaSiting::top ||
                       format.siting == ChromaSiting::bottom;
  return {2, format.width_px, format.log2_chroma_w, siting_offset(centred, false, format.log2_chroma_w)};
}

ChromaAxis vertical_axis(const VideoFormat& format) {
  const bool centred = format.siting == ChromaSiting::left || format.siting == ChromaSiting::center;
  const bool at_end = format.siting == ChromaSiting::bottom_left || format.siting == ChromaSiting::bottom;
  return {1, format.height_px, format.log2_chroma_h, siting_offset(centred, at_end, format.log2_chroma_h)};
}

}  // namespace

struct PlanesConverter::Plan {
  explicit Plan(const VideoFormat& format)
      : matrix(color_matrix(format)), horizontal(horizontal_axis(format)), vertical(vertical_axis(format)) {}

  ColorMatrix matrix;
  ChromaAxis horizontal;
  ChromaAxis vertical;
};

namespace {

// Sums of a few planes, each with its weight; weights of 0 cost nothing.
class WeightedSum {
 public:
  explicit WeightedSum(at::Tensor out) : out_(std::move(out)) {}
  void add(const at::Tensor& plane, double weight) {
    if (weight == 0) return;
    if (empty_) {
      at::mul_out(out_, plane, at::scalar_tensor(weight, at::kFloat));
    } else {
      out_.add_(plane, weight);
    }
    empty_ = false;
  }
  [[nodiscard]] at::Tensor& out() { return out_; }

 private:
  at::Tensor out_;
  bool empty_ = true;
};

}  // namespace

PlanesConverter::PlanesConverter(const VideoFormat& format, Device device)
    : format_(format), device_(device), plan_(std::make_shared<const Plan>(format)) {}

at::Tensor PlanesConverter::upload(std::span<const std::byte> planes) const {
  const c10::InferenceMode inference;
  check_size(planes.size());
  // from_blob has no const form; nothing writes to it.
  const at::Tensor host = at::from_blob(const_cast<std::byte*>(planes.data()),
                                        {static_cast<std::int64_t>(planes.size())}, at::kByte);
  if (device_.kind == DeviceKind::cpu) return host;
  at::Tensor pinned = at::empty(host.sizes(), host.options().pinned_memory(true));
  pinned.copy_(host);
  return pinned.to(torch_device(device_), /*non_blocking=*/true);
}

at::Tensor PlanesConverter::samples(const at::Tensor& planes, int first_plane, int count) const {
  const std::int64_t height = plane_height_px(format_, first_plane);
  const std::int64_t width = plane_width_px(format_, first_plane);
  const std::int64_t start = static_cast<std::int64_t>(plane_offset_bytes(format_, first_plane));
  const std::int64_t bytes = count * height * width * bytes_per_sample(format_);
  at::Tensor part = planes.narrow(0, start, bytes);
  if (bytes_per_sample(format_) == 2) part = part.view(at::kUInt16);
  return part.view({count, height, width});
}

at::Tensor PlanesConverter::to_rgb(const at::Tensor& planes) const {
  const c10::InferenceMode inference;
  check_size(static_cast<std::size_t>(planes.numel()));
  const ColorMatrix& matrix = plan_->matrix;
  const std::int64_t height = format_.height_px;
  const std::int64_t width = format_.width_px;
  if (format_.model == ColorModel::gray) {
    return samples(planes, 0, 1)
        .to(at::kFloat)
        .sub_(matrix.offset[0])
        .mul_(matrix.to_rgb[0][0])
        .expand({3, height, width})
        .contiguous()
        .unsqueeze_(0);
  }
  const at::Tensor first = samples(planes, 0, 1).to(at::kFloat).sub_(matrix.offset[0]).squeeze(0);
  const at::Tensor others =
      plan_->vertical.up(plan_->horizontal.up(samples(planes, 1, 2).to(at::kFloat).sub_(matrix.offset[1])));
  at::Tensor rgb = at::empty({1, 3, height, width}, first.options());
  for (int c = 0; c < 3; ++c) {
    const auto& row = matrix.to_rgb[static_cast<std::size_t>(c)];
    WeightedSum sum(rgb[0][c]);
    sum.add(first, row[0]);
    sum.add(others[0], row[1]);
    sum.add(others[1], row[2]);
  }
  return rgb;
}

at::Tensor PlanesConverter::to_planes(const at::Tensor& rgb) const {
  const c10::InferenceMode inference;
  if (rgb.dim() != 4 || rgb.size(0) != 1 || rgb.size(1) != 3 || rgb.size(2) != format_.height_px ||
      rgb.size(3) != format_.width_px) {
    throw JobError("a styled frame has the wrong shape",
                   concat("expected 1 x 3 x ", format_.height_px, " x ", format_.width_px));
  }
  const ColorMatrix& matrix = plan_->matrix;
  const at::Tensor frame = rgb[0].to(torch_device(device_), at::kFloat);
  at::Tensor planes =
      at::empty({static_cast<std::int64_t>(frame_bytes(format_))}, frame.options().dtype(at::kByte));
  const auto component = [&](std::size_t p, const at::Tensor& out) {
    WeightedSum sum(out);
    for (std::int64_t c = 0; c < 3; ++c) {
      sum.add(frame[c], matrix.from_rgb[p][static_cast<std::size_t>(c)]);
    }
    return out;
  };
  const double max_code = std::ldexp(1.0, format_.bit_depth) - 1;
  const auto store = [&](at::Tensor codes, int first_plane, int count) {
    samples(planes, first_plane, count).copy_(codes.round_().clamp_(0, max_code));
  };
  store(component(0, at::empty_like(frame[0])).add_(matrix.offset[0]), 0, 1);
  if (format_.model != ColorModel::gray) {
    at::Tensor others = at::empty({2, format_.height_px, format_.width_px}, frame.options());
    component(1, others[0]);
    component(2, others[1]);
    others = plan_->horizontal.down(plan_->vertical.down(others));
    store(others.add_(matrix.offset[1]), 1, 2);
  }
  return planes;
}

Buffer PlanesConverter::download(const at::Tensor& planes, std::span<const std::byte> source) const {
  const c10::InferenceMode inference;
  check_size(static_cast<std::size_t>(planes.numel()));
  Buffer bytes(frame_bytes(format_));
  const at::Tensor host = at::from_blob(bytes.data(), planes.sizes(), at::kByte);
  if (planes.is_cpu()) {
    host.copy_(planes);
  } else {
    at::Tensor pinned = at::empty(planes.sizes(), host.options().pinned_memory(true));
    pinned.copy_(planes);
    host.copy_(pinned);
  }
  if (format_.has_alpha) {
    check_size(source.size());
    const std::size_t alpha = plane_offset_bytes(format_, format_.model == ColorModel::gray ? 1 : 3);
    std::memcpy(bytes.data() + alpha, source.data() + alpha, frame_bytes(format_) - alpha);
  }
  return bytes;
}

void PlanesConverter::check_size(std::size_t size_bytes) const {
  if (size_bytes == frame_bytes(format_)) return;
  throw JobError("a frame's planes have the wrong size",
                 concat(size_bytes, " bytes instead of ", frame_bytes(format_)));
}

}  // namespace atelier::tensor
