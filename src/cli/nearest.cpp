#include "nearest.h"

#include <algorithm>

#include "atelier/base/text.h"

namespace atelier::cli {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // distance[i][j]: of the first i characters of a and the first j of b.
  std::vector<std::vector<std::size_t>> distance(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) distance[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) distance[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = distance[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      std::size_t& least = distance[i][j];
      least = std::min({distance[i - 1][j] + 1, distance[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        least = std::min(least, distance[i - 2][j - 2] + 1);
    }
  }
  return distance[a.size()][b.size()];
}

std::string nearest_name(std::string_view given, const std::vector<std::string>& known) {
  constexpr std::size_t longest = 64;  // of what can be a slip of the keyboard
  if (given.empty() || given.size() > longest) return {};
  if (given.size() >= 3) {
    const auto begun =
        std::find_if(known.begin(), known.end(), [&](const auto& name) { return name.starts_with(given); });
    if (begun != known.end()) return *begun;
  }
  std::string nearest;
  std::size_t limit = std::max<std::size_t>(1, given.size() / 3);
  for (const std::string& name : known) {
    const std::size_t distance = edit_distance(given, name);
    // A name that shares nothing but its length is not near.
    if (distance > limit || distance >= std::min(given.size(), name.size())) continue;
    if (nearest.empty() || distance < limit) nearest = name;
    limit = distance;
  }
  return nearest;
}

std::string did_you_mean(std::string_view given, const std::vector<std::string>& known,
                         std::string_view prefix) {
  const std::string name = nearest_name(given, known);
  return name.empty() ? "" : concat("Did you mean ", prefix, name, "? ");
}

}  // namespace atelier::cli
