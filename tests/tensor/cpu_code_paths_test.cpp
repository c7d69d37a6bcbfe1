#include "atelier/tensor/cpu_code_paths.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "atelier/tensor/device.h"

namespace atelier::tensor {
namespace {

class CpuCodePaths : public testing::Test {
 protected:
  CpuCodePaths() { clear(); }
  ~CpuCodePaths() override { clear(); }
  static void clear() {
    for (const char* name : {"ATEN_CPU_CAPABILITY", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"})
      unsetenv(name);
  }
  static std::string value(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? "not set" : text;
  }
};

TEST_F(CpuCodePaths, AreSetForAllLibraries) {
  const std::string level = cpu_capability();
  pin_cpu_code_paths();
  EXPECT_EQ(value("ATEN_CPU_CAPABILITY"),
            level.starts_with("AVX2") || level == "AVX512" ? "avx2" : "not set");
  EXPECT_EQ(value("MKL_CBWR"), "COMPATIBLE");
  EXPECT_EQ(value("ONEDNN_MAX_CPU_ISA"), "AVX512_CORE");
  EXPECT_EQ(cpu_capability(), level);
}

TEST_F(CpuCodePaths, StayWhereTheyAreSet) {
  setenv("ATEN_CPU_CAPABILITY", "default", 1);
  setenv("MKL_CBWR", "AUTO", 1);
  setenv("DNNL_MAX_CPU_ISA", "SSE41", 1);
  pin_cpu_code_paths();
  EXPECT_EQ(value("ATEN_CPU_CAPABILITY"), "default");
  EXPECT_EQ(value("MKL_CBWR"), "AUTO");
  EXPECT_EQ(value("ONEDNN_MAX_CPU_ISA"), "not set");
}

TEST_F(CpuCodePaths, LevelIsWhatOneDnnMayUse) {
  const std::string level = cpu_capability();
  if (level != "AVX512" && level != "AVX2") GTEST_SKIP() << "a CPU without AVX2: " << level;
  setenv("ONEDNN_MAX_CPU_ISA", "SSE41", 1);
  EXPECT_EQ(cpu_capability(), "SSE41");
  setenv("ONEDNN_MAX_CPU_ISA", "AVX2_VNNI", 1);
  EXPECT_EQ(cpu_capability(), "AVX2");
  setenv("ONEDNN_MAX_CPU_ISA", "DEFAULT", 1);
  EXPECT_EQ(cpu_capability(), level);
  unsetenv("ONEDNN_MAX_CPU_ISA");
  setenv("DNNL_MAX_CPU_ISA", "AVX", 1);
  EXPECT_EQ(cpu_capability(), "AVX");
}

}  // namespace
}  // namespace atelier::tensor
