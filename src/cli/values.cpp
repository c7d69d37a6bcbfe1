#include "values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::cli {
namespace {

template <typename Number>
bool parse_all(const std::string& text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && !text.empty();
}

[[noreturn]] void refuse(const std::string& option, const std::string& text, const std::string& wanted) {
  throw UsageError(concat("--", option, " cannot be '", text, "'"), concat("it is ", wanted));
}

}  // namespace

std::int64_t to_integer(const std::string& option, const std::string& text, std::int64_t min,
                        std::int64_t max) {
  std::int64_t number = 0;
  if (!parse_all(text, number) || number < min || number > max)
    refuse(option, text, concat("a whole number from ", min, " to ", max));
  return number;
}

double to_number(const std::string& option, const std::string& text, double min, double max) {
  double number = 0;
  if (!parse_all(text, number) || !std::isfinite(number) || number < min || number > max)
    refuse(option, text, concat("a number from ", min, " to ", max));
  return number;
}

double to_time_s(const std::string& option, const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  double seconds_s = 0;
  for (const std::string& part : parts) {
    double number = 0;
    if (parts.size() > 3 || !parse_all(part, number) || !std::isfinite(number) || number < 0)
      refuse(option, text, "a time such as 12.5, 1:30 or 1:02:03");
    seconds_s = seconds_s * 60 + number;
  }
  if (parts.empty()) refuse(option, text, "a time such as 12.5, 1:30 or 1:02:03");
  return seconds_s;
}

double to_span_s(const std::string& option, const std::string& text) {
  const double seconds_s = to_time_s(option, text);
  if (seconds_s <= 0) refuse(option, text, "a time above zero, such as 12.5, 1:30 or 1:02:03");
  return seconds_s;
}

bool to_bool(const std::string& option, const std::string& text) {
  const auto is_one_of = [&](const std::vector<std::string>& words) {
    return std::find(words.begin(), words.end(), text) != words.end();
  };
  if (is_one_of({"true", "yes", "on", "1"})) return true;
  if (is_one_of({"false", "no", "off", "0"})) return false;
  refuse(option, text, "true or false");
}

std::string to_choice(const std::string& option, const std::string& text,
                      const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), text) == choices.end())
    refuse(option, text, concat("one of ", join(choices, ", ")));
  return text;
}

}  // namespace atelier::cli
