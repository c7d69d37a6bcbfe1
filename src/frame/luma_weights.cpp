#include "atelier/frame/luma_weights.h"

namespace atelier {

LumaWeights luma_weights(int matrix_coefficients) {
  switch (matrix_coefficients) {
    case 4:
      return {0.30, 0.11};
    case 5:
    case 6:
      return {0.299, 0.114};
    case 7:
      return {0.212, 0.087};
    case 9:
    case 10:
    case 11:
    case 13:
    case 14:
      return {0.2627, 0.0593};
    default:
      return {0.2126, 0.0722};
  }
}

}  // namespace atelier
