#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace atelier::training {

/// The next frame of a made-up video (as in ReCoNet, arXiv 1807.01197, without its recorded flow): the same
/// pictures a little further, turned, nearer or bent, with something in front, other light and noise.
struct NextFrame {
  at::Tensor frames;  ///< N x 3 x S x S, float32
  at::Tensor grid;    ///< N x S x S x 2: where each pixel was before, [-1,1] across the picture, as
                      ///< grid_sampler wants it
  at::Tensor light;  ///< N x 1 x S x S: by how much the luminance of the frames changed there, noise left out
  at::Tensor
      mask;  ///< N x 1 x S x S: 1 where the pixel was in the picture before and nothing is in front, else 0
};

/// A third of the frames stand still, a third move by whole pixels (so that nothing is blurred), a third move
/// smoothly. The numbers follow from seed and number alone.
NextFrame next_frame(const at::Tensor& frames, std::uint64_t seed, std::uint64_t number);

/// How far the painting of the next frame is from the painting moved along: mean squared difference where
/// mask is 1, once the change of light is added. output, next_output: N x 3 x S x S.
at::Tensor motion_loss(const at::Tensor& output, const at::Tensor& next_output, const NextFrame& next);

}  // namespace atelier::training
