#include "atelier/tensor/device.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace atelier::tensor {
namespace {

TEST(Device, TellsWhatItIs) {
  EXPECT_NE(device_name({}).find(cpu_capability()), std::string::npos);
  EXPECT_EQ(library_versions().rfind("libtorch 2.", 0), 0U) << library_versions();
  EXPECT_GE(num_usable_cores(), 1);
}

// The driver lists every GPU of the machine in /proc, whatever CUDA may do with it.
TEST(Device, SeesTheGpusThatTheDriverLists) {
  EXPECT_EQ(gpu_ids().size(), static_cast<std::size_t>(num_gpus()));
#ifdef ATELIER_CUDA
  if (std::getenv("CUDA_VISIBLE_DEVICES") != nullptr) GTEST_SKIP() << "CUDA_VISIBLE_DEVICES hides some";
  const std::filesystem::path driver = "/proc/driver/nvidia/gpus";
  std::ptrdiff_t listed = 0;
  if (std::filesystem::exists(driver))
    listed =
        std::distance(std::filesystem::directory_iterator(driver), std::filesystem::directory_iterator());
  EXPECT_EQ(num_gpus(), listed);
#else
  EXPECT_EQ(num_gpus(), 0) << "this build has no CUDA";
#endif
}

}  // namespace
}  // namespace atelier::tensor
