#include <ATen/core/dispatch/Dispatcher.h>
#include <gtest/gtest.h>
#include <torch/version.h>

#include <sstream>
#include <string>

namespace atelier::models {
namespace {

// Convolution calls an operator that libtorch promises nobody. With another release, see that this one is
// still the same, and that Feedforward.* and system.bits_test pass.
TEST(InternalOperator, IsThatOfTheLibtorchThatWasTried) {
  EXPECT_TRUE(std::string(TORCH_VERSION).starts_with("2.11.")) << "libtorch " << TORCH_VERSION;
  const auto found = c10::Dispatcher::singleton().findSchema({"mkldnn::_convolution_pointwise", ""});
  ASSERT_TRUE(found.has_value()) << "libtorch " << TORCH_VERSION << " has it no more";
  std::ostringstream schema;
  schema << found->schema();
  EXPECT_EQ(
      schema.str(),
      "mkldnn::_convolution_pointwise(Tensor X, Tensor W, Tensor? B, int[] padding, int[] stride, int[] "
      "dilation, int groups, str attr, Scalar?[] scalars, str? algorithm) -> Tensor Y")
      << "of libtorch " << TORCH_VERSION;
}

}  // namespace
}  // namespace atelier::models
