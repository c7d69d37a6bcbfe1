#include "atelier/planning/layout.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "atelier/base/error.h"
#include "atelier/base/text.h"

namespace atelier::planning {
namespace {

constexpr int max_workers = 4096;

std::optional<int> to_count(const std::string& text) {
  int count = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || stop != end || count < 1 || count > max_workers) return std::nullopt;
  return count;
}

}  // namespace

std::string Layout::name() const {
  return concat(num_machines, "x", gpus_per_machine);
}

Layout parse_layout(const std::string& text) {
  const std::vector<std::string> parts = split(text, 'x');
  const std::optional<int> machines = parts.size() == 2 ? to_count(parts[0]) : std::nullopt;
  const std::optional<int> gpus = parts.size() == 2 ? to_count(parts[1]) : std::nullopt;
  if (!machines || !gpus || *machines * *gpus > max_workers)
    throw UsageError(
        concat("'", text, "' is no layout"),
        concat("a layout is machines x GPUs of each, such as 2x4, at most ", max_workers, " GPUs in all"));
  return {*machines, *gpus};
}

std::vector<Layout> parse_layouts(const std::string& text) {
  std::vector<Layout> layouts;
  for (const std::string& part : split(text, ',')) {
    const Layout layout = parse_layout(part);
    if (std::ranges::find(layouts, layout) != layouts.end())
      throw UsageError(concat("layout ", layout.name(), " is named twice"));
    layouts.push_back(layout);
  }
  if (layouts.empty()) throw UsageError("no layout is named", "a list such as 1x1,1x4,2x4 is needed");
  return layouts;
}

}  // namespace atelier::planning
