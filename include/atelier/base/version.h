#pragma once

namespace atelier {

/// "0.1.0"
const char* program_version();
/// The commit that the build was configured from, 12 hex digits, or "unknown".
const char* git_sha();

}  // namespace atelier
