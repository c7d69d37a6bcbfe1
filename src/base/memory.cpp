#include "atelier/base/memory.h"

#include <sys/resource.h>

#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace atelier {

void release_free_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace atelier
