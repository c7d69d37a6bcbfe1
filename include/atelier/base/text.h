#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace atelier {

/// The arguments written one after another, as operator<< writes them.
template <typename... Args>
std::string concat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

/// "a, b, c"
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Splits at every separator; empty text gives an empty list.
std::vector<std::string> split(std::string_view text, char separator);

/// text without a full stop at its end, to stand inside another sentence.
std::string without_period(std::string text);

/// A number with a fixed count of decimals, whatever the locale.
std::string fixed(double value, int decimals);

/// "1.5 MiB": a size for people.
std::string human_bytes(double bytes);

/// "1:02:03" or "2:03": a length of time for people.
std::string human_duration(double seconds_s);

}  // namespace atelier
