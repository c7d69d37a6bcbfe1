#include "trial_frame.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <cstring>
#include <span>

#include "atelier/base/exception_text.h"
#include "atelier/base/hash.h"
#include "atelier/base/log.h"
#include "atelier/base/text.h"
#include "atelier/tensor/planes_converter.h"

namespace atelier::pipeline {
namespace {

// Samples up to half of what the format holds; the constants are those of Numerical Recipes' generator.
Buffer noise(const VideoFormat& format) {
  Buffer planes(frame_bytes(format));
  const std::size_t sample_bytes = format.bit_depth > 8 ? 2 : 1;
  std::uint32_t state = 1;
  for (std::size_t i = 0; i + sample_bytes <= planes.size(); i += sample_bytes) {
    state = state * 1664525 + 1013904223;
    const auto sample = static_cast<std::uint16_t>(state >> (33 - format.bit_depth));
    std::memcpy(planes.data() + i, &sample, sample_bytes);
  }
  return planes;
}

void add(Hasher& hasher, const at::Tensor& tensor) {
  const at::Tensor whole = tensor.contiguous();
  hasher.update({static_cast<const std::byte*>(whole.const_data_ptr()), whole.nbytes()});
}

}  // namespace

std::string trial_frame_bits(models::StyleEngine& engine, const VideoFormat& format) {
  try {
    const tensor::PlanesConverter converter(format, {});
    const Buffer planes = noise(format);
    Hasher hasher;
    const at::Tensor rgb = converter.to_rgb(planes.bytes());
    add(hasher, rgb);
    const at::Tensor styled = engine.stylise(rgb);
    add(hasher, styled);
    hasher.update(converter.to_planes(styled, planes.bytes()).bytes());
    return hex64(hasher.digest());
  } catch (const std::exception& e) {
    log::to_file(concat("a trial frame cannot be styled: ", exception_text(e)));
    return "no trial frame";
  }
}

}  // namespace atelier::pipeline
