#pragma once

#include <string>

namespace atelier {

/// "0.1.0"
const char* program_version();
/// The commit that the build was configured from, 12 hex digits, with "-dirty" where sources differed from
/// it; or "unknown". For people: what tells programs apart is build_id().
const char* git_sha();
/// "atelier 0.1.0 (git 0123456789ab, build 0123456789abcdef)", with the first 16 digits of build_id(). Throws
/// JobError for a program without one.
std::string build_text();

}  // namespace atelier
