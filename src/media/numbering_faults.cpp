#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/text.h"
#include "atelier/media/picture_row.h"

namespace atelier::media {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t max_gaps_said = 4;

/// A name without its ending, cut into runs of digits (odd places) and what is between.
using NameParts = std::vector<std::string>;
NameParts parts_of(const fs::path& file) {
  NameParts parts(1);
  for (const char c : file.stem().string()) {
    const bool is_digit = c >= '0' && c <= '9';
    if (is_digit != (parts.size() % 2 == 0)) parts.emplace_back();
    parts.back() += c;
  }
  return parts;
}

std::optional<std::uint64_t> number_of(const std::string& digits) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  return number;
}

/// The one place where both names have numbers that differ; nothing where they differ otherwise.
std::optional<std::size_t> counting_place(const NameParts& a, const NameParts& b) {
  if (a.size() != b.size()) return std::nullopt;
  std::optional<std::size_t> place;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    if (i % 2 == 0 || place || !number_of(a[i]) || !number_of(b[i])) return std::nullopt;
    if (number_of(a[i]) != number_of(b[i])) place = i;
  }
  return place;
}

/// Files whose names count at one place, the files that follow one another in a row.
struct Numbering {
  std::string before;
  std::size_t num_digits = 1;
  std::vector<std::uint64_t> numbers;  ///< increasing
};

std::vector<Numbering> numberings_of(const std::vector<fs::path>& row) {
  std::vector<Numbering> all;
  std::optional<std::size_t> place;  // where the last of all counts
  NameParts last;
  for (const fs::path& file : row) {
    NameParts parts = parts_of(file);
    const std::optional<std::size_t> counts = last.empty() ? std::nullopt : counting_place(last, parts);
    if (counts && counts == place) {
      all.back().numbers.push_back(*number_of(parts[*counts]));
    } else if (counts) {
      const std::string before =
          join({parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(*counts)}, "");
      all.push_back({before, last[*counts].size(), {*number_of(last[*counts]), *number_of(parts[*counts])}});
      place = counts;
    } else if (!last.empty() && fs::path(join(last, "")) != fs::path(join(parts, ""))) {
      place.reset();
    }
    last = std::move(parts);
  }
  return all;
}

/// The step of names that count evenly; 0 where they do not.
std::uint64_t step_of(const std::vector<std::uint64_t>& numbers) {
  if (numbers.size() < 3) return 0;
  std::uint64_t step = UINT64_MAX;
  for (std::size_t i = 1; i < numbers.size(); ++i) step = std::min(step, numbers[i] - numbers[i - 1]);
  for (std::size_t i = 1; i < numbers.size(); ++i)
    if ((numbers[i] - numbers[i - 1]) % step != 0) return 0;
  return step;
}

std::string listed(std::vector<std::string> items, std::size_t num_left_out) {
  if (num_left_out > 0) items.emplace_back("more");
  if (items.size() < 2) return join(items, "");
  const std::string last = items.back();
  items.pop_back();
  return concat(join(items, ", "), " and ", last);
}

}  // namespace

std::string missing_numbers(const std::vector<fs::path>& row) {
  const std::vector<Numbering> numberings = numberings_of(row);
  std::vector<std::string> gaps;
  std::uint64_t num_missing = 0;
  std::size_t num_gaps = 0;
  for (const Numbering& numbering : numberings) {
    const std::uint64_t step = step_of(numbering.numbers);
    const auto label = [&](std::uint64_t number) {
      std::string digits = std::to_string(number);
      if (numberings.size() == 1) return digits;
      digits.insert(0, numbering.num_digits - std::min(numbering.num_digits, digits.size()), '0');
      return numbering.before + digits;
    };
    for (std::size_t i = 1; step > 0 && i < numbering.numbers.size(); ++i) {
      const std::uint64_t first = numbering.numbers[i - 1] + step;
      const std::uint64_t end = numbering.numbers[i];
      if (first == end) continue;
      num_missing += (end - first) / step;
      if (++num_gaps <= max_gaps_said)
        gaps.push_back(first + step == end ? label(first) : concat(label(first), " to ", label(end - step)));
    }
  }
  if (num_missing == 0) return {};
  if (num_missing == 1) return concat("frame ", gaps.front(), " is missing");
  return concat("frames ", listed(gaps, num_gaps - gaps.size()), " are missing (", num_missing, " in all)");
}

}  // namespace atelier::media
