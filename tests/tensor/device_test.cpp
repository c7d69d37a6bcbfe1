#include "atelier/tensor/device.h"

#include <gtest/gtest.h>

namespace atelier::tensor {
namespace {

TEST(Device, TellsWhatItIs) {
  EXPECT_NE(device_name({}).find(cpu_capability()), std::string::npos);
  EXPECT_EQ(library_versions().rfind("libtorch 2.", 0), 0U) << library_versions();
  EXPECT_GE(num_usable_cores(), 1);
  EXPECT_GE(num_gpus(), 0);
}

}  // namespace
}  // namespace atelier::tensor
