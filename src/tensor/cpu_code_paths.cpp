#include "atelier/tensor/cpu_code_paths.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "atelier/tensor/device.h"

namespace atelier::tensor {
namespace {

constexpr std::array<std::string_view, 5> levels{"plain", "SSE41", "AVX", "AVX2", "AVX512"};
using Level = std::size_t;

Level level_of_cpu() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return 4;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 3;
  if (__builtin_cpu_supports("avx")) return 2;
  if (__builtin_cpu_supports("sse4.1")) return 1;
#endif
  return 0;
}

// AVX2_VNNI is AVX2, AVX512_CORE_BF16 is AVX512. What is no level, such as DEFAULT, limits nothing.
Level level_allowed() {
  const char* variable = std::getenv("ONEDNN_MAX_CPU_ISA");
  if (variable == nullptr) variable = std::getenv("DNNL_MAX_CPU_ISA");
  const std::string_view text = variable == nullptr ? "" : variable;
  for (Level level = levels.size() - 1; level > 0; --level)
    if (text.starts_with(levels[level])) return level;
  return levels.size() - 1;
}

void set_unless_set(const char* name, const char* value) {
  setenv(name, value, 0);
}

}  // namespace

void pin_cpu_code_paths() {
  if (level_of_cpu() >= 3) set_unless_set("ATEN_CPU_CAPABILITY", "avx2");
  set_unless_set("MKL_CBWR", "COMPATIBLE");
  if (std::getenv("DNNL_MAX_CPU_ISA") == nullptr) set_unless_set("ONEDNN_MAX_CPU_ISA", "AVX512_CORE");
}

std::string cpu_capability() {
  return std::string(levels[std::min(level_of_cpu(), level_allowed())]);
}

}  // namespace atelier::tensor
