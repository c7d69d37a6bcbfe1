#include "atelier/base/version.h"

#include "atelier/base/build_id.h"
#include "atelier/base/text.h"

namespace atelier {
const char* program_version() {
  return ATELIER_VERSION;
}
const char* git_sha() {
  return ATELIER_GIT_SHA;
}
std::string build_text() {
  return concat("atelier ", program_version(), " (git ", git_sha(), ", build ", build_id().substr(0, 16),
                ")");
}
}  // namespace atelier
