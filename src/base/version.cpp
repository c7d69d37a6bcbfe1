#include "atelier/base/version.h"

namespace atelier {
const char* program_version() {
  return ATELIER_VERSION;
}
const char* git_sha() {
  return ATELIER_GIT_SHA;
}
}  // namespace atelier
