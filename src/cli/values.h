#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace atelier::cli {

// Readers of option values. Each throws UsageError that names the option.

std::int64_t to_integer(const std::string& option, const std::string& text, std::int64_t min,
                        std::int64_t max);
double to_number(const std::string& option, const std::string& text, double min, double max);
/// "12.5", "1:30" or "1:02:03.5", in seconds.
double to_time_s(const std::string& option, const std::string& text);
/// As to_time_s, but not zero.
double to_span_s(const std::string& option, const std::string& text);
/// "true", "yes", "on", "1", or their opposites.
bool to_bool(const std::string& option, const std::string& text);
/// text, if it is one of the choices.
std::string to_choice(const std::string& option, const std::string& text,
                      const std::vector<std::string>& choices);

}  // namespace atelier::cli
