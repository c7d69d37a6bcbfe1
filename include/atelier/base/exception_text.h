#pragma once

#include <exception>
#include <string>

namespace atelier {

/// error.what() as a part of one line: its first line. Where there is more, as the stack trace that libtorch
/// adds, all of it goes to the log file.
std::string exception_text(const std::exception& error);

}  // namespace atelier
