#include "reflect.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/remainder.h>

#include <algorithm>

namespace atelier::models {
namespace {

at::Tensor reflect(const at::Tensor& frames, std::int64_t dim, std::int64_t multiple, std::int64_t least) {
  const std::int64_t length = frames.size(dim);
  const std::int64_t wanted = std::max((length + multiple - 1) / multiple * multiple, least);
  if (wanted == length) return frames;
  at::Tensor index = at::arange(wanted, frames.options().dtype(at::kLong));
  if (length == 1) {
    index.zero_();
  } else {
    // Triangle wave: 0 1 … length-1 … 1 0 1 …
    index = at::remainder(index, 2 * (length - 1));
    index = (length - 1) - (index - (length - 1)).abs();
  }
  return at::index_select(frames, dim, index);
}

}  // namespace

at::Tensor reflect_to_multiple(const at::Tensor& frames, std::int64_t multiple, std::int64_t least) {
  return reflect(reflect(frames, 2, multiple, least), 3, multiple, least);
}

}  // namespace atelier::models
