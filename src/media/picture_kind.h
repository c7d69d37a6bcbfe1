#pragma once

#include <string>
#include <string_view>

namespace atelier::media {

/// True where head, the first bytes of a file, begins as pictures of the common kinds do.
bool has_picture_signature(std::string_view head);

/// True for a WebP file that says it moves.
bool is_animated_webp(std::string_view head);

/// Of kinds that some releases of FFmpeg cannot read, what the file is ("a HEIC picture"); else empty.
std::string rare_picture_kind(std::string_view head);

/// Throws UsageError: the file is of that kind, which this FFmpeg cannot read (why).
[[noreturn]] void throw_rare_kind(const std::string& quoted_name, const std::string& kind,
                                  const std::string& why);

}  // namespace atelier::media
