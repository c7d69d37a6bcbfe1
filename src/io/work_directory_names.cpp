#include "work_directory_names.h"

#include <algorithm>
#include <charconv>

namespace atelier::io {
namespace {

constexpr std::size_t least_digits = 8;
constexpr std::size_t num_fingerprint_digits = 16;

std::string padded(std::int64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < least_digits) digits.insert(0, least_digits - digits.size(), '0');
  return digits;
}

/// A number as it is written behind the first attempt.
std::optional<int> parse_attempt(std::string_view digits) {
  int number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (number < 2 || std::to_string(number) != digits) return std::nullopt;
  return number;
}

/// As padded() writes it.
std::optional<std::int64_t> parse_padded(std::string_view digits) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 0 || padded(number) != digits)
    return std::nullopt;
  return number;
}

bool take_end(std::string_view& text, std::string_view end) {
  if (!text.ends_with(end)) return false;
  text.remove_suffix(end.size());
  return true;
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

bool is_start_id(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

std::string segment_name(std::int64_t chunk_index, const std::string& fingerprint_digits,
                         const std::string& start_id, int attempt) {
  const std::string suffix = attempt > 1 ? "." + std::to_string(attempt) : "";
  return padded(chunk_index) + "-" + fingerprint_digits + "-" + start_id + suffix + ".seg";
}

std::optional<SegmentName> parse_segment_name(std::string_view name) {
  if (!take_end(name, ".seg")) return std::nullopt;
  const std::size_t first_dash = name.find('-');
  if (first_dash == std::string_view::npos) return std::nullopt;
  const std::optional<std::int64_t> chunk_index = parse_padded(name.substr(0, first_dash));
  name.remove_prefix(first_dash + 1);
  if (!chunk_index || name.size() <= num_fingerprint_digits || name[num_fingerprint_digits] != '-')
    return std::nullopt;
  const std::string_view fingerprint = name.substr(0, num_fingerprint_digits);
  name.remove_prefix(num_fingerprint_digits + 1);
  const std::size_t dot = name.find('.');
  const std::string_view start_id = name.substr(0, dot);
  const std::optional<int> attempt =
      dot == std::string_view::npos ? std::optional(1) : parse_attempt(name.substr(dot + 1));
  if (!attempt || !std::ranges::all_of(fingerprint, is_hex_digit) || !is_start_id(start_id))
    return std::nullopt;
  return SegmentName{*chunk_index, std::string(fingerprint), std::string(start_id), *attempt};
}

std::string numbered_name(std::string_view kind, const std::string& start_id, std::int64_t sequence) {
  return std::string(kind) + "-" + start_id + "-" + padded(sequence) + ".json";
}

std::optional<NumberedName> parse_numbered_name(std::string_view kind, std::string_view name) {
  if (!take_end(name, ".json") || !name.starts_with(kind)) return std::nullopt;
  name.remove_prefix(kind.size());
  if (!name.starts_with('-')) return std::nullopt;
  name.remove_prefix(1);
  const std::size_t dash = name.find('-');
  if (dash == std::string_view::npos || !is_start_id(name.substr(0, dash))) return std::nullopt;
  const std::optional<std::int64_t> sequence = parse_padded(name.substr(dash + 1));
  if (!sequence) return std::nullopt;
  return NumberedName{std::string(name.substr(0, dash)), *sequence};
}

}  // namespace atelier::io
