#pragma once

namespace atelier {

/// Luma weights of red and blue; green has the rest.
struct LumaWeights {
  double red;
  double blue;
};

/// By H.273 MatrixCoefficients (table 4); BT.709's for those that have no weights.
LumaWeights luma_weights(int matrix_coefficients);

}  // namespace atelier
